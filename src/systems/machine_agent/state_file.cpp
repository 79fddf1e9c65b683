#include "systems/machine_agent/state_file.hpp"

#include <fcntl.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/time_text.hpp"

namespace slipway::machine_agent {
namespace {

using nlohmann::json;

json time_or_null(const std::optional<WallTime>& time) {
  return time ? json(to_rfc3339(*time)) : json(nullptr);
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

}  // namespace

std::string to_json(const AgentState& state) {
  const auto& sender = state.sender;
  const json value{
      {"v", 1},
      {"machine", state.origin.machine},
      {"agent", state.origin.agent},
      {"boot_id", state.origin.boot_id},
      {"config", state.config},
      {"started", to_rfc3339(state.started)},
      {"at", to_rfc3339(state.now)},
      {"seq", state.seq},
      {"broker",
       {{"reachable", sender.reachable},
        {"since", time_or_null(sender.since)},
        {"last_ack", time_or_null(sender.last_ack)},
        {"problem", text_or_null(sender.problem)}}},
      {"spool",
       {{"samples", sender.spooled},
        {"bytes", sender.bytes},
        {"oldest", time_or_null(sender.oldest)},
        {"dropped", sender.dropped}}},
      {"clock", {{"t", to_ms(state.now)}, {"synchronized", state.clock_synchronized}}},
  };
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

bool is_clock_synchronized() {
  struct timex state{};
  return ::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

void StateFile::write(const AgentState& state, MonoTime now) {
  due_ = now + kEvery;
  const auto stored = store(to_json(state));
  if (!stored && !failing_) log_.warn("state file not written", stored.error());
  failing_ = !stored;
}

// Not synced to the disk: after a crash of the machine it is worth nothing, and every few seconds it would
// wear the flash of a small one.
Status StateFile::store(const std::string& text) const {
  const auto failed = [this](const char* doing) {
    return unavailable("agent.state_file",
                       std::string{doing} + " " + path_.native() + ": " + std::strerror(errno));
  };
  const auto temporary = path_.native() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return failed("open");
  const auto written = ::write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  if (::close(fd) != 0 || !whole) return failed("write");
  if (::rename(temporary.c_str(), path_.c_str()) != 0) return failed("rename to");
  return {};
}

}  // namespace slipway::machine_agent
