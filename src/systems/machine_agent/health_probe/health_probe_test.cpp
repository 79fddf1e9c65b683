#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "base/thread.hpp"
#include "systems/machine_agent/health_probe/check.hpp"
#include "systems/machine_agent/health_probe/command.hpp"
#include "systems/machine_agent/health_probe/put.hpp"
#include "systems/machine_agent/health_probe/socket.hpp"
#include "systems/machine_agent/health_probe/wait.hpp"

namespace slipway::health_probe {
namespace {

/// Accepts one connection after the other on a free port of 127.0.0.1, reads a bit and answers with `answer`
/// (or holds the connection until it is closed, if the answer is empty and `hold` is set).
class Server {
 public:
  explicit Server(std::string answer, bool hold = false)
      : listener_(make_listener(port_)),
        worker_([this, answer, hold](const std::stop_token& stop) { serve(stop, answer, hold); }) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);  // ends accept()
    worker_.stop();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  std::string request() const { return request_; }

 private:
  static int make_listener(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::listen(fd, 16);
    socklen_t size = sizeof(address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
  }
  void serve(const std::stop_token& stop, const std::string& answer, bool hold) {
    while (!stop.stop_requested()) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::array<char, 1000> chunk;
      auto got = ::read(fd, chunk.data(), chunk.size());
      if (got > 0) request_.assign(chunk.data(), static_cast<std::size_t>(got));
      while (hold && got > 0) got = ::read(fd, chunk.data(), chunk.size());
      if (!answer.empty() && ::write(fd, answer.data(), answer.size()) < 0) ADD_FAILURE() << "write";
      ::close(fd);
    }
  }
  std::uint16_t port_ = 0;
  int listener_;
  std::string request_;
  Worker worker_;
};

std::uint16_t free_port() {
  return Server{""}.port();
}

Status ask_http(std::uint16_t port, const std::string& path = "/healthz",
                milliseconds timeout = milliseconds{5000}) {
  SystemClock clock;
  return ask({Check::Kind::kHttp, port, path}, clock, timeout);
}

TEST(HealthCheck, a_good_status_is_good) {
  for (const auto* line :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 204 No Content\r\n\r\n", "HTTP/1.1 302 Found\r\n\r\n"}) {
    Server server{line};
    EXPECT_TRUE(ask_http(server.port())) << line;
  }
}

TEST(HealthCheck, asks_for_the_path) {
  std::string request;
  {
    Server server{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    ASSERT_TRUE(ask_http(server.port(), "/ready?deep=1"));
    request = server.request();
  }
  EXPECT_TRUE(request.starts_with("GET /ready?deep=1 HTTP/1.1\r\nHost: localhost:")) << request;
}

TEST(HealthCheck, says_what_is_wrong) {
  const auto failure = [](const Status& status) {
    return status ? std::string{"good"} : status.error().message;
  };
  {
    Server server{"HTTP/1.1 503 Service Unavailable\r\n\r\nnot yet"};
    EXPECT_EQ(failure(ask_http(server.port())),
              "GET /healthz on port " + std::to_string(server.port()) + ": status 503");
  }
  {
    Server server{"hello\n"};
    EXPECT_NE(failure(ask_http(server.port())).find("no HTTP"), std::string::npos);
  }
  {
    Server server{""};
    EXPECT_NE(failure(ask_http(server.port())).find(": "), std::string::npos);
  }
  {
    Server server{"", true};
    EXPECT_NE(failure(ask_http(server.port(), "/", milliseconds{50})).find("no answer in time"),
              std::string::npos);
  }
  const auto port = free_port();
  EXPECT_EQ(failure(ask_http(port)), "port " + std::to_string(port) + ": connection refused");
}

TEST(HealthCheck, tcp_wants_a_listener_only) {
  SystemClock clock;
  Server server{""};
  EXPECT_TRUE(ask({Check::Kind::kTcp, server.port(), "/"}, clock, milliseconds{5000}));
  EXPECT_FALSE(ask({Check::Kind::kTcp, free_port(), "/"}, clock, milliseconds{5000}));
}

TEST(StatusLine, is_read_strictly) {
  EXPECT_EQ(parse_status_line("HTTP/1.1 200 OK\r"), 200);
  EXPECT_EQ(parse_status_line("HTTP/1.0 404"), 404);
  for (const auto* bad : {"", "HTTP/1.1", "HTTP/1.1 2x0 OK", "HTTP/2 200", "SSH-2.0-OpenSSH"})
    EXPECT_FALSE(parse_status_line(bad)) << bad;
}

/// Time passes by sleeping only.
class StepClock final : public Clock {
 public:
  WallTime now() const override { return {}; }
  MonoTime mono() const override { return mono_; }
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token&) override {
    mono_ += duration;
    return true;
  }
  milliseconds passed() const { return std::chrono::floor<milliseconds>(mono_ - MonoTime{}); }

 private:
  MonoTime mono_{};
};

class WaitTest : public testing::Test {
 protected:
  /// `good` decides by the time since the start.
  bool wait(const std::function<bool(milliseconds)>& good) {
    return wait_until_healthy(
        [&](milliseconds) -> Status {
          ++checks;
          if (good(clock.passed())) return {};
          return unavailable("probe.refused", "port 80: connection refused");
        },
        {.healthy_for = milliseconds{5000}, .deadline = milliseconds{20'000}}, clock,
        [this](const std::string& line) { said.push_back(line); });
  }
  StepClock clock;
  std::vector<std::string> said;
  int checks = 0;
};

TEST_F(WaitTest, sees_the_first_good_answer_within_one_short_pause) {
  EXPECT_TRUE(wait([](milliseconds now) { return now >= milliseconds{130}; }));
  EXPECT_EQ(said, (std::vector<std::string>{
                      R"({"event":"failing","after_ms":0,"failure":"port 80: connection refused"})",
                      R"({"event":"first_good","after_ms":140})", R"({"event":"healthy","after_ms":5140})"}));
  EXPECT_LE(checks, 7 + 1 + 25);
}

TEST_F(WaitTest, begins_anew_after_a_break) {
  EXPECT_TRUE(wait([](milliseconds now) { return now < milliseconds{4000} || now > milliseconds{4500}; }));
  EXPECT_GE(clock.passed(), milliseconds{9500});
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0], R"({"event":"first_good","after_ms":0})");
  EXPECT_TRUE(said[1].starts_with(R"({"event":"failing","after_ms":4000)"));
}

TEST_F(WaitTest, ends_at_the_deadline_with_the_last_failure) {
  EXPECT_FALSE(wait([](milliseconds) { return false; }));
  EXPECT_EQ(clock.passed(), milliseconds{20'000});
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[1], R"({"event":"deadline","after_ms":20000,"failure":"port 80: connection refused"})");
}

TEST_F(WaitTest, is_not_healthy_when_the_good_time_was_too_short) {
  EXPECT_FALSE(wait([](milliseconds now) { return now >= milliseconds{18'000}; }));
  EXPECT_NE(said.back().find("not for long enough"), std::string::npos);
}

class PutTest : public testing::Test {
 protected:
  PutTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "slipway-put-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~PutTest() override { std::filesystem::remove_all(folder); }
  Status put(const PutOptions& options, const std::string& content) {
    const auto source = folder / "source";
    std::ofstream{source} << content;
    std::FILE* input = std::fopen(source.c_str(), "r");
    auto status = put_file(options, ::fileno(input));
    std::fclose(input);
    std::filesystem::remove(source);
    return status;
  }
  std::string read(const std::filesystem::path& path) {
    std::stringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
  }
  std::filesystem::path folder;
};

TEST_F(PutTest, replaces_a_file_with_its_mode) {
  const auto path = folder / "sensors.json";
  ASSERT_TRUE(put({path, 0444, {}}, "old"));
  ASSERT_TRUE(put({path, 0440, {{::getuid(), ::getgid()}}}, "new content"));
  EXPECT_EQ(read(path), "new content");
  struct stat found{};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0440u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder}, {}), 1);
}

TEST_F(PutTest, leaves_nothing_behind_when_it_fails) {
  std::filesystem::create_directory(folder / "a_folder");
  EXPECT_FALSE(put({folder / "a_folder", 0444, {}}, "x"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder}, {}), 1);
  EXPECT_FALSE(put({folder / "missing/file", 0444, {}}, "x"));
}

Result<Command> parse(const std::vector<std::string>& arguments) {
  return parse_command(arguments);
}

TEST(Command, reads_each_form) {
  const auto check = parse({"http", "--port", "8080", "--path", "/healthz", "--timeout", "500ms"});
  ASSERT_TRUE(check);
  const auto& once = std::get<CheckCommand>(*check);
  EXPECT_EQ(once.check.kind, Check::Kind::kHttp);
  EXPECT_EQ(once.check.port, 8080);
  EXPECT_EQ(once.check.path, "/healthz");
  EXPECT_EQ(once.timeout, milliseconds{500});
  const auto wait = parse({"wait", "tcp", "--port", "1", "--healthy-for", "3s", "--deadline", "1m"});
  ASSERT_TRUE(wait);
  EXPECT_EQ(std::get<WaitCommand>(*wait).times.healthy_for, milliseconds{3000});
  EXPECT_EQ(std::get<WaitCommand>(*wait).times.deadline, milliseconds{60'000});
  const auto connect = parse({"connect", "kafka-1:9092,[::1]:9093", "--timeout", "1s"});
  ASSERT_TRUE(connect);
  EXPECT_EQ(std::get<ConnectCommand>(*connect).endpoints[1].host, "::1");
  EXPECT_EQ(std::get<ConnectCommand>(*connect).endpoints[1].port, 9093);
  const auto put = parse({"put", "/run/slipway/sensors.json", "--mode", "0440", "--owner", "0:65532"});
  ASSERT_TRUE(put);
  EXPECT_EQ(std::get<PutOptions>(*put).mode, 0440u);
  EXPECT_EQ(std::get<PutOptions>(*put).owner->second, 65532u);
}

TEST(Command, refuses_what_it_does_not_know) {
  const std::vector<std::vector<std::string>> bad{{},
                                                  {"ftp", "--port", "1"},
                                                  {"http"},
                                                  {"http", "--port"},
                                                  {"http", "--port", "0"},
                                                  {"http", "--port", "65536"},
                                                  {"http", "--port", "80", "--deadline", "3s"},
                                                  {"http", "--port", "80", "--path", "healthz"},
                                                  {"http", "--port", "80", "--path", "/a b"},
                                                  {"http", "--port", "80", "--timeout", "soon"},
                                                  {"connect"},
                                                  {"connect", "kafka"},
                                                  {"connect", ":9092"},
                                                  {"put"},
                                                  {"put", "/x", "--mode", "0999"},
                                                  {"put", "/x", "--mode", "70000"},
                                                  {"put", "/x", "--owner", "root"}};
  for (const auto& arguments : bad) EXPECT_FALSE(parse(arguments)) << join(arguments, " ");
}

TEST(Resolve, finds_names_and_numbers) {
  EXPECT_TRUE(resolve("127.0.0.1", 80));
  EXPECT_TRUE(resolve("localhost", 80));
}

}  // namespace
}  // namespace slipway::health_probe
