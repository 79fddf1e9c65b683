#include "tests/ports/http_server_suite.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace slipway::ports {
namespace {

using namespace std::chrono_literals;

/// Says back what it was asked; "/stream" goes on.
class Echo final : public HttpHandler {
 public:
  std::uint64_t body_limit(const HttpRequest& head) override { return head.method == "PUT" ? 1000 : 10; }
  HttpReply answer(const HttpRequest& request) override {
    HttpReply reply;
    reply.content_type = "text/plain";
    reply.body = request.method + " " + request.path + " " + request.body;
    for (const auto& [name, value] : request.query) reply.body += " " + name + "=" + value;
    if (request.path == "/missing") reply.status = 404;
    if (request.path == "/stream") {
      reply.body.clear();
      reply.stream = [this](std::shared_ptr<HttpStream> opened) {
        opened->on_close([this] { set(closed_); });
        const std::scoped_lock lock(mutex_);
        stream_ = std::move(opened);
        changed_.notify_all();
      };
    }
    return reply;
  }
  std::shared_ptr<HttpStream> stream() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [this] { return stream_ != nullptr; }));
    return stream_;
  }
  bool closed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return closed_; });
  }

 private:
  void set(bool& flag) {
    const std::scoped_lock lock(mutex_);
    flag = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<HttpStream> stream_;
  bool closed_ = false;
};

TEST_P(HttpServerSuite, hands_over_what_was_asked_and_gives_the_answer) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  const auto answer = bench->ask("POST", "/a%20b?x=1%262", "hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "POST /a b hello x=1&2");
  EXPECT_EQ(bench->ask("GET", "/missing", "").status, 404);
  bench->server().stop();
}

TEST_P(HttpServerSuite, keeps_the_limit_of_each_route) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  EXPECT_EQ(bench->ask("POST", "/", std::string(11, 'x')).status, 413);
  EXPECT_EQ(bench->ask("PUT", "/", std::string(1000, 'x')).status, 200);
  EXPECT_EQ(bench->ask("PUT", "/", std::string(1001, 'x')).status, 413);
  bench->server().stop();
}

TEST_P(HttpServerSuite, refuses_addresses_that_are_none) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  for (const char* target : {"/%00", "/%zz", "/?a=1&a=2", "/%0d%0ax"})
    EXPECT_EQ(bench->ask("GET", target, "").status, 400) << target;
  bench->server().stop();
}

TEST_P(HttpServerSuite, sends_what_is_pushed_and_ends_when_finished) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  const auto reader = bench->open("/stream");
  const auto stream = echo.stream();
  EXPECT_FALSE(stream->closed());
  EXPECT_EQ(stream->push("one\n"), HttpStream::Pushed::kTaken);
  EXPECT_EQ(reader->read_until("one\n"), "one\n");
  EXPECT_EQ(stream->push("two\n"), HttpStream::Pushed::kTaken);
  stream->finish();
  EXPECT_EQ(stream->push("late\n"), HttpStream::Pushed::kClosed);
  EXPECT_EQ(reader->read_until("two\n"), "one\ntwo\n");
  EXPECT_TRUE(reader->ended());
  bench->server().stop();
}

TEST_P(HttpServerSuite, tells_when_the_reader_is_gone) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  const auto reader = bench->open("/stream");
  const auto stream = echo.stream();
  stream->push("one\n");
  reader->read_until("one\n");
  reader->hang_up();
  EXPECT_TRUE(echo.closed());
  EXPECT_TRUE(stream->closed());
  EXPECT_EQ(stream->push("late\n"), HttpStream::Pushed::kClosed);
  bool told = false;
  stream->on_close([&] { told = true; });
  EXPECT_TRUE(told) << "at once if nobody reads any more";
  bench->server().stop();
}

TEST_P(HttpServerSuite, closes_streams_when_it_stops) {
  Echo echo;
  const auto bench = GetParam()();
  bench->server().start(echo);
  const auto reader = bench->open("/stream");
  const auto stream = echo.stream();
  bench->server().stop();
  EXPECT_TRUE(stream->closed());
}

}  // namespace
}  // namespace slipway::ports
