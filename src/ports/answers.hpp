#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::ports {

/// What a manager answers, kept: a request that comes again gets the same answer, one with the same id and
/// another content is refused. One thread per object.
class Answers {
 public:
  /// `source`: "/node_manager". `role` names the collection.
  Answers(Bus& bus, Repository& repository, Clock& clock, std::string role, std::string reply_topic,
          std::string type);

  struct Request {
    std::string id;
    std::string canonical;  ///< to_json of the request
    std::string key;        ///< of the reply record
  };
  /// Answers `request`: with what was answered before, or with what `decide` makes, stored before it is
  /// published. `decide` gives the reply's JSON after its effects are stored; its Error is the caller's
  /// (retry or dead letter). request.conflict (kConflict) if this id came before with another content.
  Status answer(const Request& request, const std::function<Result<std::string>()>& decide);

 private:
  Status publish(const Answer& answer);
  Bus& bus_;
  Repository& repository_;
  Clock& clock_;
  std::string role_, reply_topic_, type_;
};

/// A question as Answers wants it. It may be asked again under a later epoch of its deployment: the
/// correlation id is part of its id.
template <class Question>
Answers::Request answerable(const Question& question, std::string key) {
  return {.id = question.correlation_id.empty() ? question.request_id
                                                : question.request_id + "/" + question.correlation_id,
          .canonical = to_json(question),
          .key = std::move(key)};
}

}  // namespace slipway::ports
