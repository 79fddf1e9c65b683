#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/backoff.hpp"
#include "base/text.hpp"
#include "base/thread.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/message_text.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

constexpr milliseconds kForEver{std::chrono::hours{24 * 365}};

bool is_wanted(const MessagesOptions& options, const json& message) {
  const std::string topic = text_of(message, "topic");
  return options.topics.empty() ||
         std::ranges::any_of(options.topics, [&](const std::string& part) { return topic.contains(part); });
}

}  // namespace

int messages_command(Session& session, const MessagesOptions& options) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  std::ostream& out = session.world.out;
  std::stop_source ended;
  const std::stop_callback on_interrupt(session.world.interrupted, [&] { ended.request_stop(); });
  const Worker timer([&](const std::stop_token& stop) {
    if (session.world.clock.sleep(options.follow ? kForEver : options.span, stop)) ended.request_stop();
  });
  Backoff backoff;
  bool heard = false;
  const auto on_event = [&](std::string_view event, const json& data) {
    heard = true;
    backoff.reset();
    if (event == "gap")
      session.world.err << "== " << text_of(data, "dropped") << " messages were left out: too many to show\n";
    if (event == "message" && is_wanted(options, data)) {
      if (session.format == Format::kJson)
        out << data.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
      else
        out << message_text(data, session.format == Format::kWide) << "\n";
      out.flush();
    }
    return static_cast<bool>(out);
  };
  for (;;) {
    const Status streamed = api->stream("/api/v1/stream?topics=messages", on_event, ended.get_token());
    if (streamed || ended.stop_requested()) return 0;
    if (!heard || !streamed.error().retryable()) return fail(session, streamed.error());
    if (backoff.tries() == 0) session.world.err << "== the server went away; waiting for it\n";
    session.world.clock.sleep(backoff.next(), ended.get_token());
  }
}

}  // namespace slipway::cli
