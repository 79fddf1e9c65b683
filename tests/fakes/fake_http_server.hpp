#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/url.hpp"
#include "ports/http.hpp"

namespace slipway::fakes {

/// Keeps what was pushed; `limit` bytes may wait until a test takes them.
class FakeHttpStream final : public ports::HttpStream {
 public:
  explicit FakeHttpStream(std::size_t limit = 1 << 20) : limit_(limit) {}

  Pushed push(std::string bytes) override {
    const std::scoped_lock lock(mutex_);
    if (closed_ || finished_) return Pushed::kClosed;
    if (!waiting_.empty() && waiting_.size() + bytes.size() > limit_) return Pushed::kFull;
    waiting_ += bytes;
    return Pushed::kTaken;
  }
  void finish() override {
    const std::scoped_lock lock(mutex_);
    finished_ = true;
  }
  bool closed() const override {
    const std::scoped_lock lock(mutex_);
    return closed_;
  }
  void on_close(std::function<void()> callback) override {
    {
      const std::scoped_lock lock(mutex_);
      if (!closed_) {
        callbacks_.push_back(std::move(callback));
        return;
      }
    }
    callback();
  }

  /// What came since the last call.
  std::string take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(waiting_, {});
  }
  bool finished() const {
    const std::scoped_lock lock(mutex_);
    return finished_;
  }
  /// The client goes away.
  void hang_up() {
    std::vector<std::function<void()>> callbacks;
    {
      const std::scoped_lock lock(mutex_);
      if (std::exchange(closed_, true)) return;
      callbacks.swap(callbacks_);
    }
    for (const auto& callback : callbacks) callback();
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::string waiting_;
  bool closed_ = false;
  bool finished_ = false;
  std::vector<std::function<void()>> callbacks_;
};

/// Hands requests of a test to the handler, with the limits on bodies and addresses that a real server keeps.
class FakeHttpServer final : public ports::HttpServer {
 public:
  void start(ports::HttpHandler& handler) override { handler_ = &handler; }
  /// Returns when nobody is being answered any more, as of a real one.
  void stop() override {
    const std::unique_lock nobody(answering_);
    handler_ = nullptr;
    for (const auto& stream : streams_) stream->hang_up();
  }
  std::uint16_t port() const override { return 7420; }

  struct Answer {
    int status = 0;
    std::string content_type, body;
    std::shared_ptr<FakeHttpStream> stream;  ///< of an answer that goes on
  };
  Answer ask(std::string method, std::string_view target, std::string body = {},
             std::map<std::string, std::string> headers = {{"host", "127.0.0.1:7420"}}) {
    const std::shared_lock somebody(answering_);
    if (handler_ == nullptr) return {503, {}, {}, {}};
    const auto parsed = parse_target(target);
    if (!parsed) return {400, {}, {}, {}};
    ports::HttpRequest request{std::move(method), parsed->path, parsed->query, std::move(headers), {}};
    if (body.size() > handler_->body_limit(request)) return {413, {}, {}, {}};
    request.body = std::move(body);
    ports::HttpReply reply = handler_->answer(request);
    Answer answer{reply.status, reply.content_type, reply.body, {}};
    if (reply.stream) {
      answer.stream = std::make_shared<FakeHttpStream>();
      streams_.push_back(answer.stream);
      reply.stream(answer.stream);
    }
    return answer;
  }

 private:
  std::shared_mutex answering_;
  ports::HttpHandler* handler_ = nullptr;
  std::vector<std::shared_ptr<FakeHttpStream>> streams_;
};

}  // namespace slipway::fakes
