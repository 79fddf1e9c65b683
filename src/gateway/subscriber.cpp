#include "gateway/subscriber.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/text.hpp"
#include "messages/parsed.hpp"

namespace slipway::gateway {
namespace {

constexpr std::size_t kMostEarly = 4 << 20;
constexpr std::size_t kMostTopics = 64;
constexpr std::size_t kMostAhead = 256;
constexpr milliseconds kAttachDeadline{30'000};

Status add_topic(Wanted& wanted, const std::string& topic) {
  const std::size_t colon = topic.find(':');
  const std::string kind = topic.substr(0, colon);
  const std::string id = colon == std::string::npos ? "" : topic.substr(colon + 1);
  if (kind == "messages" && id.empty()) {
    wanted.messages = true;
  } else if (kind == "deployment" && messages::is_request_id(id)) {
    wanted.deployments.emplace(id, 0);
  } else if (kind == "output" && messages::is_request_id(id)) {
    wanted.outputs.insert(id);
  } else {
    return invalid("stream.topic", "no such topic: '" + escape_for_people(topic) + "'",
                   "topics are deployment:<request id>, output:<request id> and messages");
  }
  return {};
}

}  // namespace

Result<Wanted> Wanted::parse(const ports::HttpRequest& request) {
  Wanted wanted;
  const auto topics = request.query.find("topics");
  if (topics == request.query.end() || topics->second.empty())
    return invalid("stream.topic",
                   "say which topics: ?topics=deployment:<request id>,output:<request id>,messages");
  const std::vector<std::string> names = split(topics->second, ',');
  if (names.size() > kMostTopics) return invalid("stream.topic", "more than 64 topics");
  for (const std::string& name : names) SLIPWAY_TRY(add_topic(wanted, name));
  if (const std::string* last = request.header("last-event-id")) {
    const std::size_t colon = last->rfind(':');
    const auto found = wanted.deployments.find(last->substr(0, colon));
    if (colon != std::string::npos && found != wanted.deployments.end())
      found->second = std::strtoll(last->c_str() + colon + 1, nullptr, 10);
  }
  const std::string* accept = request.header("accept");
  if (accept != nullptr && accept->find("application/x-ndjson") != std::string::npos)
    wanted.format = StreamFormat::kLines;
  return wanted;
}

void Subscriber::attach(std::shared_ptr<ports::HttpStream> stream) {
  const std::scoped_lock lock(mutex_);
  stream_ = std::move(stream);
  if (!early_.empty()) push(std::exchange(early_, {}));
}

void Subscriber::deliver_status(const messages::DeploymentStatus& status) {
  const std::scoped_lock lock(mutex_);
  const auto found = wanted_.deployments.find(status.request_id);
  if (found == wanted_.deployments.end() || status.seq <= found->second) return;
  auto& ahead = ahead_[status.request_id];
  if (ahead.size() < kMostAhead) ahead.emplace(status.seq, status);
  for (auto next = ahead.begin(); next != ahead.end() && next->first == found->second + 1;
       next = ahead.erase(next)) {
    found->second = next->first;
    send("status", fmt::format("{}:{}", status.request_id, next->first), messages::to_json(next->second));
    if (next->second.final) ended_.insert(status.request_id);
  }
}

void Subscriber::deliver_output(const std::string& request_id, const std::string& json) {
  const std::scoped_lock lock(mutex_);
  if (wanted_.outputs.contains(request_id)) send("output", {}, json);
}

void Subscriber::deliver_message(const std::string& json) {
  const std::scoped_lock lock(mutex_);
  if (wanted_.messages) send("message", {}, json);
}

void Subscriber::beat() {
  const std::scoped_lock lock(mutex_);
  push(wanted_.format == StreamFormat::kLines ? "{\"event\":\"beat\"}\n" : ": beat\n\n");
}

std::vector<std::string> Subscriber::open_deployments() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> open;
  for (const auto& [id, seq] : wanted_.deployments)
    if (!ended_.contains(id)) open.push_back(id);
  return open;
}

bool Subscriber::gone(WallTime now) const {
  const std::scoped_lock lock(mutex_);
  return stream_ ? stream_->closed() : now - born_ > kAttachDeadline;
}

void Subscriber::send(std::string_view event, const std::string& id, const std::string& json) {
  if (dropped_ > 0) {
    const std::string gap = fmt::format("{{\"dropped\":{}}}", dropped_);
    const std::uint64_t before = std::exchange(dropped_, 0);
    push(wanted_.format == StreamFormat::kLines ? fmt::format("{{\"event\":\"gap\",\"data\":{}}}\n", gap)
                                                : fmt::format("event: gap\ndata: {}\n\n", gap));
    if (dropped_ > 0) dropped_ += before;
  }
  if (wanted_.format == StreamFormat::kLines)
    push(fmt::format("{{\"event\":\"{}\",\"data\":{}}}\n", event, json));
  else
    push(fmt::format("event: {}\n{}data: {}\n\n", event, id.empty() ? "" : "id: " + id + "\n", json));
}

void Subscriber::push(std::string text) {
  if (!stream_) {
    if (early_.size() + text.size() <= kMostEarly)
      early_ += text;
    else
      ++dropped_;
  } else if (stream_->push(std::move(text)) == ports::HttpStream::Pushed::kFull) {
    ++dropped_;
  }
}

}  // namespace slipway::gateway
