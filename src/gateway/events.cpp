#include "gateway/events.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/message_line.hpp"
#include "gateway/problem.hpp"
#include "messages/deployment_status.hpp"
#include "messages/service_event.hpp"

namespace slipway::gateway {
namespace {

constexpr milliseconds kTick{500};
constexpr int kTicksToReplay = 4;  // a document is looked at again every 2 s
constexpr int kTicksToBeat = 20;   // a quiet stream says something every 10 s
constexpr std::size_t kMostSubscribers = 256;
constexpr milliseconds kReaderDeadline{3'000};
constexpr milliseconds kReaderSoon{1'000};

}  // namespace

Events::Events(World& world)
    : world_(world),
      reader_(world.bus, world.clock, world.log,
              {world.topics.deployment_status, world.topics.deployment_output}, ports::From::kEnd,
              [this](const ports::Record& record) { take(record); }),
      worker_([this](const std::stop_token& stop) { tend(stop); }) {}

void Events::add_route(Router& router) {
  router.add("GET", "/api/v1/stream",
             [this](const ports::HttpRequest& request, const Params&) { return open(request); });
}

Result<ports::HttpReply> Events::open(const ports::HttpRequest& request) {
  SLIPWAY_ASSIGN(Wanted wanted, Wanted::parse(request));
  auto subscriber = std::make_shared<Subscriber>(std::move(wanted));
  subscriber->set_born(world_.clock.now());
  {
    const std::scoped_lock lock(mutex_);
    if (subscribers_.size() >= kMostSubscribers)
      return unavailable("stream.too_many", "too many event streams are open");
    subscribers_.push_back(subscriber);
  }
  if (subscriber->wants_messages()) {
    tend_message_reader(true);
    const std::scoped_lock lock(reader_mutex_);
    if (!message_reader_ || !message_reader_->wait_ready(kReaderDeadline))
      return unavailable("kafka.unreachable", "Kafka is not reachable", "slipway doctor shows what is down");
  }
  // Just after the start: what is said from now on shall be heard live, not only found in the document.
  static_cast<void>(reader_.wait_ready(kReaderSoon));
  replay(*subscriber);
  ports::HttpReply reply;
  reply.content_type = subscriber->format() == StreamFormat::kLines ? "application/x-ndjson"
                                                                    : "text/event-stream; charset=utf-8";
  reply.headers.emplace_back("X-Accel-Buffering", "no");
  reply.stream = [subscriber](std::shared_ptr<ports::HttpStream> stream) {
    subscriber->attach(std::move(stream));
  };
  return reply;
}

std::vector<std::shared_ptr<Subscriber>> Events::subscribers() {
  const std::scoped_lock lock(mutex_);
  return {subscribers_.begin(), subscribers_.end()};
}

void Events::take(const ports::Record& record) {
  if (!record.value) return;
  if (record.topic == world_.topics.deployment_output) {
    if (const auto output = messages::parse_build_output(*record.value))
      for (const auto& subscriber : subscribers())
        subscriber->deliver_output(output->request_id, messages::to_json(*output));
    return;
  }
  const auto status = messages::parse_deployment_status(*record.value);
  if (!status) return;  // not ours to judge; the document has the story
  for (const auto& subscriber : subscribers()) subscriber->deliver_status(*status);
}

void Events::take_message(const ports::Record& record) {
  const std::string line =
      message_line(record, world_.topics).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (const auto& subscriber : subscribers()) subscriber->deliver_message(line);
}

void Events::replay(Subscriber& subscriber) {
  for (const std::string& id : subscriber.open_deployments()) {
    const auto found = world_.repository.deployments().find(id);
    if (!found || !*found) continue;  // not accepted yet, or the Repository is away: Kafka tells
    for (const messages::DeploymentStatus& status : (*found)->stages) subscriber.deliver_status(status);
  }
}

void Events::tend_message_reader(bool wanted) {
  const std::scoped_lock lock(reader_mutex_);
  if (!wanted) {
    message_reader_.reset();
  } else if (!message_reader_) {
    std::vector<std::string> names;
    for (const messages::TopicSpec& topic : world_.topics.all()) names.push_back(topic.name);
    message_reader_ = std::make_unique<ports::TopicReader>(
        world_.bus, world_.clock, world_.log, std::move(names), ports::From::kEnd,
        [this](const ports::Record& record) { take_message(record); });
  }
}

void Events::tend(const std::stop_token& stop) {
  for (int tick = 1; world_.clock.sleep(kTick, stop); ++tick) {
    bool messages_wanted = false;
    {
      const std::scoped_lock lock(mutex_);
      const WallTime now = world_.clock.now();
      std::erase_if(subscribers_, [&](const auto& subscriber) { return subscriber->gone(now); });
      for (const auto& subscriber : subscribers_) messages_wanted |= subscriber->wants_messages();
    }
    if (!messages_wanted) tend_message_reader(false);
    for (const auto& subscriber : subscribers()) {
      if (tick % kTicksToReplay == 0) replay(*subscriber);
      if (tick % kTicksToBeat == 0) subscriber->beat();
    }
  }
}

}  // namespace slipway::gateway
