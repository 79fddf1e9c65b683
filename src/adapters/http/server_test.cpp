#include "adapters/http/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace slipway::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

/// A client that says exactly what a test wants, also what no good client says.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval ten_seconds{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &ten_seconds, sizeof ten_seconds);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { hang_up(); }

  void say(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// All that came so far and what comes until `end` is in it, or the server closes.
  std::string hear(std::string_view end = {}) {
    char piece[4096];
    while (end.empty() || heard_.find(end) == std::string::npos) {
      const auto count = ::recv(socket_, piece, sizeof piece, 0);
      if (count <= 0) break;
      heard_.append(piece, static_cast<std::size_t>(count));
    }
    return heard_;
  }
  void forget() { heard_.clear(); }
  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  std::string heard_;
};

/// Echoes; "/stream" goes on; "/throw" has a bug.
class Echo final : public ports::HttpHandler {
 public:
  std::uint64_t body_limit(const ports::HttpRequest& head) override {
    return head.path == "/big" ? 4 << 20 : 1000;
  }
  ports::HttpReply answer(const ports::HttpRequest& request) override {
    if (request.path == "/throw") throw std::runtime_error("on purpose");
    ports::HttpReply reply;
    reply.content_type = "text/plain";
    reply.body = request.method + " " + request.path + " " + std::to_string(request.body.size());
    if (request.path == "/stream") {
      reply.body = "begin\n";
      reply.stream = [this](std::shared_ptr<ports::HttpStream> opened) {
        opened->on_close([this] {
          const std::scoped_lock lock(mutex_);
          ++closed_;
          changed_.notify_all();
        });
        const std::scoped_lock lock(mutex_);
        stream_ = std::move(opened);
        changed_.notify_all();
      };
    }
    return reply;
  }
  std::shared_ptr<ports::HttpStream> wait_stream() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [this] { return stream_ != nullptr; }));
    return stream_;
  }
  bool wait_closed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return closed_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<ports::HttpStream> stream_;
  int closed_ = 0;
};

class HttpServer : public testing::Test {
 protected:
  HttpServer() { begin({}); }
  ~HttpServer() override { server_->stop(); }
  void begin(ServerSettings settings) {
    if (server_) server_->stop();
    settings.port = 0;
    auto made = listen(settings, Log::silent());
    ASSERT_TRUE(made) << made.error().message;
    server_ = std::move(*made);
    server_->start(echo_);
  }
  std::string ask(std::string_view text) {
    RawClient client(server_->port());
    client.say(text);
    return client.hear();
  }
  Echo echo_;
  std::unique_ptr<ports::HttpServer> server_;
};

TEST_F(HttpServer, answers_and_keeps_the_connection) {
  RawClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.say("POST /a%20b?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(client.hear("POST /a b 3"), StartsWith("HTTP/1.1 200 OK\r\n"));
    client.forget();
  }
  client.say("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string head = client.hear();
  EXPECT_THAT(head, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(HttpServer, reads_chunks_and_says_continue) {
  RawClient client(server_->port());
  client.say("PUT /big HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(client.hear("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  client.say("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_THAT(client.hear("PUT /big 6"), HasSubstr("200 OK"));
}

TEST_F(HttpServer, refuses_bodies_over_the_limit_of_their_route) {
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                  std::string(2000, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServer, refuses_what_breaks_the_protocol_H05_H06_H09) {
  const std::string host = "Host: x\r\n";
  for (const std::string& text : std::vector<std::string>{
           "GET / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n",
           "GET http://x/ HTTP/1.1\r\n" + host + "\r\n", "PRI * HTTP/2.0\r\n\r\n",
           "GET /%00 HTTP/1.1\r\n\r\n", "GET /%0d%0a HTTP/1.1\r\n\r\n", "GET /\r\n\r\n",
           "\x16\x03\x01\x02 hello\r\n\r\n"})
    EXPECT_THAT(ask(text), StartsWith("HTTP/1.1 400")) << text;
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nA: " + std::string(1 << 20, 'a')), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 4"));
}

TEST_F(HttpServer, survives_a_handler_that_throws) {
  EXPECT_THAT(ask("GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, streams_what_is_pushed_until_the_end) {
  RawClient client(server_->port());
  client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto stream = echo_.wait_stream();
  EXPECT_THAT(client.hear("begin\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_EQ(stream->push("first\n"), ports::HttpStream::Pushed::kTaken);
  client.hear("first\n");
  stream->push("last\n");
  stream->finish();
  EXPECT_THAT(client.hear(), HasSubstr("last\n\r\n0\r\n\r\n"));
  EXPECT_EQ(stream->push("late"), ports::HttpStream::Pushed::kClosed);
  EXPECT_TRUE(echo_.wait_closed());
}

TEST_F(HttpServer, notices_a_client_that_went_away) {
  RawClient client(server_->port());
  client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto stream = echo_.wait_stream();
  client.hear("begin\n");
  client.hang_up();
  EXPECT_TRUE(echo_.wait_closed());
  EXPECT_EQ(stream->push("late"), ports::HttpStream::Pushed::kClosed);
}

TEST_F(HttpServer, bounds_what_waits_for_a_client_that_never_reads_H20) {
  ServerSettings settings;
  settings.stream_buffer = 100'000;
  settings.write_deadline = 200ms;
  begin(settings);
  RawClient client(server_->port());
  client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto stream = echo_.wait_stream();
  bool was_full = false;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!stream->closed() && std::chrono::steady_clock::now() < deadline) {
    was_full |= stream->push(std::string(50'000, 'x')) == ports::HttpStream::Pushed::kFull;
    std::this_thread::yield();
  }
  EXPECT_TRUE(was_full);
  EXPECT_TRUE(echo_.wait_closed()) << "a client that does not read is cut off by the write deadline";
}

TEST_F(HttpServer, ends_slow_headers_and_too_many_connections) {
  ServerSettings settings;
  settings.header_deadline = 100ms;
  settings.connections = 2;
  begin(settings);
  RawClient slow(server_->port());
  slow.say("GET / HTTP/1.1\r\nHos");
  EXPECT_EQ(slow.hear(), "");
  RawClient one(server_->port());
  RawClient two(server_->port());
  one.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  one.hear("GET / 0");
  two.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  two.hear("GET / 0");
  RawClient three(server_->port());
  EXPECT_THAT(three.hear(), StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpServer, stops_at_once_with_open_streams) {
  RawClient client(server_->port());
  client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto stream = echo_.wait_stream();
  client.hear("begin\n");
  server_->stop();
  EXPECT_TRUE(stream->closed());
}

TEST(HttpListen, binds_to_loopback_only) {
  for (const char* bind : {"0.0.0.0", "::", "10.0.0.1", "example.org", ""}) {
    ServerSettings settings;
    settings.bind = bind;
    const auto made = listen(settings, Log::silent());
    ASSERT_FALSE(made) << bind;
    EXPECT_EQ(made.error().code, "config.insecure_bind");
  }
}

TEST(HttpListen, says_when_the_port_is_taken) {
  ServerSettings settings;
  settings.port = 0;
  const auto first = listen(settings, Log::silent());
  ASSERT_TRUE(first);
  settings.port = (*first)->port();
  const auto second = listen(settings, Log::silent());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "server.address_in_use");
}

}  // namespace
}  // namespace slipway::http
