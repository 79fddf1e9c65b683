#include "gateway/replies.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/ids.hpp"
#include "base/time_text.hpp"
#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

constexpr milliseconds kReaderDeadline{3'000};
constexpr milliseconds kPing{2'000};

/// "slipway.machine.requests" and "slipway.machine.replies" -> "slipway.machine."
std::string stem(const std::string& topic) {
  return topic.substr(0, topic.rfind('.') + 1);
}

}  // namespace

Replies::Replies(World& world)
    : world_(world),
      reader_(world.bus, world.clock, world.log,
              {world.topics.service_replies, world.topics.sensor_replies, world.topics.machine_replies},
              ports::From::kEnd, [this](const ports::Record& record) { take(record); }) {}

Replies::~Replies() {
  stop();
}

void Replies::take(const ports::Record& record) {
  if (!record.value) return;
  const auto value = nlohmann::json::parse(*record.value, nullptr, false);
  if (!value.is_object() || !value.contains("request_id") || !value["request_id"].is_string()) return;
  const std::scoped_lock lock(mutex_);
  const auto [begin, end] = waiting_.equal_range(value["request_id"].get<std::string>());
  for (auto found = begin; found != end; ++found) {
    Waiting& waiting = *found->second;
    if (waiting.answered || waiting.topic_prefix != stem(record.topic)) continue;
    waiting.answered = true;
    waiting.reply = *record.value;
  }
  changed_.notify_all();
}

Result<std::string> Replies::ask(const ports::Outgoing& request, const std::string& request_id) {
  if (!reader_.wait_ready(kReaderDeadline))
    return unavailable("kafka.unreachable", "Kafka is not reachable: the request was not sent",
                       "slipway doctor shows what is down");
  // Publishing would wait much longer for a broker that is away.
  if (const Status there = world_.bus.ping(kPing); !there) return of_kafka(there.error());
  auto waiting = std::make_shared<Waiting>();
  waiting->topic_prefix = stem(request.topic);
  std::unique_lock lock(mutex_);
  const auto place = waiting_.emplace(request_id, waiting);
  lock.unlock();
  const Status published = world_.bus.publish(request);
  lock.lock();
  if (published)
    changed_.wait_for(lock, world_.settings.reply_deadline, [&] { return waiting->answered || stopped_; });
  waiting_.erase(place);
  if (!published) return of_kafka(published.error());
  if (waiting->answered) return std::move(waiting->reply);
  if (stopped_) return unavailable("server.stopping", "the server is stopping");
  return Error{ErrorKind::kUnknown,
               "request.unanswered",
               "nobody answered " + short_id(request_id) + " (" + request_id + ") on " + request.topic +
                   " within " + to_human(world_.settings.reply_deadline),
               {},
               "it is on Kafka and will be taken up; slipway status shows which system is down"};
}

void Replies::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace slipway::gateway
