#include "ports/answers.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace slipway::ports {
namespace {

constexpr std::chrono::days kKept{8};  // longer than any request topic that is answered keeps its records

}  // namespace

Answers::Answers(Bus& bus, Repository& repository, Clock& clock, std::string role, std::string reply_topic,
                 std::string type)
    : bus_(bus),
      repository_(repository),
      clock_(clock),
      role_(std::move(role)),
      reply_topic_(std::move(reply_topic)),
      type_(std::move(type)) {}

Status Answers::answer(const Request& request, const std::function<Result<std::string>()>& decide) {
  auto& book = repository_.answers(role_);
  const std::string digest = sha256_hex(request.canonical);
  SLIPWAY_ASSIGN(const auto known, book.find(request.id));
  if (known && known->digest != digest)
    return conflict("request.conflict",
                    fmt::format("request {} came before with another content ({} then, {} now)", request.id,
                                known->digest.substr(0, 12), digest.substr(0, 12)),
                    "use a new request_id");
  if (known) return publish(*known);
  SLIPWAY_ASSIGN(auto reply, decide());
  const Answer answer{.request_id = request.id,
                      .digest = digest,
                      .topic = reply_topic_,
                      .key = request.key,
                      .reply = std::move(reply),
                      .expires_at = clock_.now() + kKept};
  SLIPWAY_TRY(book.put(answer));
  return publish(answer);
}

Status Answers::publish(const Answer& answer) {
  return bus_.publish({.topic = answer.topic,
                       .key = answer.key,
                       .value = answer.reply,
                       .source = "/" + role_,
                       .type = type_,
                       .subject = answer.key,
                       .event_id = answer.request_id + ":reply"});
}

}  // namespace slipway::ports
