#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "messages/deployment_status.hpp"
#include "ports/http.hpp"

namespace slipway::gateway {

enum class StreamFormat { kEvents, kLines };  ///< text/event-stream, application/x-ndjson

/// What one client of the event stream asked for.
struct Wanted {
  std::map<std::string, std::int64_t> deployments;  ///< request id -> seq of the last status already seen
  std::set<std::string> outputs;                    ///< request ids whose build output is wanted
  bool messages = false;                            ///< everything that crosses Kafka
  StreamFormat format = StreamFormat::kEvents;

  /// Of `topics=deployment:<id>,output:<id>,messages`, Last-Event-ID ("<id>:<seq>") and Accept.
  static Result<Wanted> parse(const ports::HttpRequest& request);
};

/// One client: puts statuses in order without gaps or repetitions, bounds what waits. Any thread may call.
class Subscriber {
 public:
  explicit Subscriber(Wanted wanted) : wanted_(std::move(wanted)) {}

  void attach(std::shared_ptr<ports::HttpStream> stream);
  /// Ignores a seq that was sent; keeps one that is ahead until the ones before it came.
  void deliver_status(const messages::DeploymentStatus& status);
  void deliver_output(const std::string& request_id, const std::string& json);
  void deliver_message(const std::string& json);
  void beat();
  /// Requests whose final status has not been sent.
  std::vector<std::string> open_deployments() const;
  bool gone(WallTime now) const;
  bool wants_messages() const { return wanted_.messages; }
  StreamFormat format() const { return wanted_.format; }
  void set_born(WallTime now) { born_ = now; }

 private:
  void send(std::string_view event, const std::string& id, const std::string& json);
  void push(std::string text);

  WallTime born_{};
  mutable std::mutex mutex_;
  Wanted wanted_;
  std::map<std::string, std::map<std::int64_t, messages::DeploymentStatus>> ahead_;
  std::set<std::string> ended_;
  std::shared_ptr<ports::HttpStream> stream_;  ///< null until attached
  std::string early_;                          ///< what came before that
  std::uint64_t dropped_ = 0;
};

}  // namespace slipway::gateway
