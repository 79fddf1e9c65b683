#include "adapters/http/client.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "tests/fakes/scripted_server.hpp"

namespace slipway::http {
namespace {

using namespace std::chrono_literals;
using fakes::http_answer;
using fakes::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Client client_of(const ScriptedServer& server) {
  return Client{Address{server.path(), {}, 0, {}}};
}

Request get(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

Request post(std::string target, std::string body = {}) {
  Request request;
  request.method = "POST";
  request.target = std::move(target);
  request.body = std::move(body);
  return request;
}

TEST(Address, reads_what_it_should) {
  const auto address = Address::parse("http://127.0.0.1:7420/");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 7420);
  EXPECT_EQ(Address::parse("http://[::1]:80")->host, "::1");
  EXPECT_EQ(Address::parse("http://[::1]")->port, 80);
  EXPECT_EQ(Address::parse("unix:///run/x.sock")->unix_path, "/run/x.sock");
}

TEST(Address, refuses_everything_else) {
  for (const auto* url : {"", "localhost", "https://x", "ftp://x", "http://", "http://x:0", "http://x:65536",
                          "http://x:8a", "http://x/path", "http://u@x", "unix://relative", "http://x y:1"}) {
    EXPECT_FALSE(Address::parse(url)) << url;
  }
}

TEST(Client, sends_a_request_and_reads_the_answer) {
  std::string seen;
  ScriptedServer server{[&](auto& peer) {
    seen = peer.read_request();
    peer.say(http_answer(201, R"({"Id":"1"})"));
  }};
  auto client = client_of(server);
  auto request = post("/things?a=b", "{}");
  request.content_type = "application/json";
  request.headers = {{"X-One", "1"}};
  const auto response = client.call(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, R"({"Id":"1"})");
  EXPECT_EQ(response->header("content-type"), "application/json");
  EXPECT_THAT(seen, StartsWith("POST /things?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-One: 1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nContent-Length: 2\r\n\r\n{}"));
}

TEST(Client, keeps_its_connection_and_opens_another_when_the_server_closed_it) {
  ScriptedServer server{[](auto& peer) {
    for (int i = 0; i < 3 && !peer.read_request().empty(); ++i) peer.say(http_answer(200, "x"));
  }};
  auto client = client_of(server);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.call(get("/")));
  EXPECT_EQ(server.connections(), 1U);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.call(get("/")));
  EXPECT_EQ(server.connections(), 2U);
}

TEST(Client, reads_chunks_as_they_come) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\none\nt\r\n");
    peer.say("3\r\nwo\n\r\n0\r\n\r\n");
    peer.read_request();
  }};
  auto client = client_of(server);
  std::vector<std::string> lines;
  bool began = false;
  const auto response = client.stream_lines(
      get("/"),
      [&](std::string_view line) {
        EXPECT_TRUE(began);
        lines.emplace_back(line);
        return true;
      },
      {}, [&] { began = true; });
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_THAT(lines, ElementsAre("one", "two"));
}

TEST(Client, keeps_the_body_of_a_refusal_out_of_the_stream) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.say(http_answer(404, "no such thing"));
  }};
  const auto response = client_of(server).stream(get("/"), [](std::string_view) {
    ADD_FAILURE();
    return true;
  });
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "no such thing");
}

TEST(Client, sends_a_file) {
  std::string seen;
  ScriptedServer server{[&](auto& peer) {
    seen = peer.read_request();
    peer.say(http_answer(200, ""));
  }};
  const auto path = std::filesystem::path{server.path()}.parent_path() / "body";
  const std::string content(300'000, 'f');
  std::ofstream{path} << content;
  auto request = post("/");
  request.body_file = path;
  ASSERT_TRUE(client_of(server).call(request));
  EXPECT_TRUE(seen.ends_with(content));
  request.body_file = "/no/such/file";
  EXPECT_EQ(client_of(server).call(request).error().kind, ErrorKind::kNotFound);
}

TEST(Client, says_unknown_when_a_sent_request_is_not_answered) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.read_request();
  }};
  auto request = post("/");
  request.deadline = 50ms;
  const auto response = client_of(server).call(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnknown);
  EXPECT_EQ(response.error().code, "http.timeout");
  auto reading = get("/");
  reading.deadline = 50ms;
  EXPECT_EQ(client_of(server).call(reading).error().kind, ErrorKind::kUnavailable);
}

TEST(Client, gives_up_after_silence_within_a_stream) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\n\r\nfirst\n");
    peer.read_request();
  }};
  auto request = get("/");
  request.idle = 50ms;
  std::string got;
  const auto response = client_of(server).stream(request, [&](std::string_view piece) {
    got += piece;
    return true;
  });
  EXPECT_EQ(response.error().code, "http.timeout");
  EXPECT_EQ(got, "first\n");
}

TEST(Client, stops_from_another_thread_and_closes_the_connection) {
  std::promise<bool> closed;
  ScriptedServer server{[&](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\n\r\nfirst\n");
    closed.set_value(peer.read_request().empty());
  }};
  std::stop_source source;
  const auto response = client_of(server).stream_lines(
      get("/"),
      [&](std::string_view) {
        std::thread{[&] { source.request_stop(); }}.join();
        return true;
      },
      source.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http.cancelled");
  auto was_closed = closed.get_future();
  ASSERT_EQ(was_closed.wait_for(5s), std::future_status::ready);
  EXPECT_TRUE(was_closed.get());
}

TEST(Client, ends_well_when_its_handler_has_enough) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\n\r\n1\n2\n3\n");
    peer.read_request();
  }};
  int lines = 0;
  const auto response =
      client_of(server).stream_lines(get("/"), [&](std::string_view) { return ++lines < 2; });
  EXPECT_TRUE(response);
  EXPECT_EQ(lines, 2);
}

TEST(Client, talks_raw_after_an_upgrade) {
  std::string head, input;
  ScriptedServer server{[&](auto& peer) {
    head = peer.read_request();
    peer.say("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ");
    input = peer.read_to_end();
    peer.say("late");
  }};
  std::string got;
  const std::string sent(3'000'000, 'i');
  const auto response =
      client_of(server).converse(post("/exec/1/start", "{}"), sent, [&](std::string_view piece) {
        got += piece;
        return true;
      });
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 101);
  EXPECT_THAT(head, HasSubstr("Upgrade: tcp\r\n"));
  EXPECT_EQ(input, sent);
  EXPECT_EQ(got, "early late");
}

TEST(Client, does_not_dead_lock_when_both_sides_write_much) {
  ScriptedServer server{[](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 101 UPGRADED\r\n\r\n");
    peer.say(std::string(3'000'000, 'o'));
    peer.read_to_end();
  }};
  std::size_t got = 0;
  const auto response =
      client_of(server).converse(post("/"), std::string(3'000'000, 'i'), [&](std::string_view piece) {
        got += piece.size();
        return true;
      });
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(got, 3'000'000U);
}

TEST(Client, refuses_answers_that_are_none) {
  for (const auto* bytes : {"garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedServer server{[&](auto& peer) {
      peer.read_request();
      peer.say(bytes);
      peer.read_request();
    }};
    const auto response = client_of(server).call(post("/"));
    ASSERT_FALSE(response) << bytes;
    EXPECT_EQ(response.error().code, "http.malformed") << bytes;
  }
}

TEST(Client, notices_an_answer_that_breaks_off) {
  ScriptedServer server{[&](auto& peer) {
    peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  }};
  const auto response = client_of(server).call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http.broken");
}

TEST(Client, bounds_heads_and_bodies) {
  ScriptedServer server{[&](auto& peer) {
    if (peer.read_request().starts_with("GET /head")) {
      peer.say("HTTP/1.1 200 OK\r\n");
      for (int i = 0; i < 10'000; ++i) peer.say("X-Flood: 0123456789012345678901234567890\r\n");
    } else {
      peer.say("HTTP/1.1 200 OK\r\n\r\n");
      for (int i = 0; i < 10'000; ++i) peer.say(std::string(10'000, 'x'));
    }
  }};
  auto client = client_of(server);
  EXPECT_EQ(client.call(get("/head")).error().code, "http.malformed");
  auto request = get("/body");
  request.max_body = 1'000'000;
  EXPECT_EQ(client.call(request).error().code, "http.too_large");
}

TEST(Client, says_unavailable_when_nobody_listens) {
  Client client{Address{"/no/such/socket", {}, 0, {}}};
  const auto response = client.call(post("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(response.error().code, "http.unreachable");
}

TEST(Client, lets_nobody_smuggle_a_header) {
  Client client{Address{"/no/such/socket", {}, 0, {}}};
  ScriptedServer server{[](auto& peer) { peer.read_request(); }};
  auto request = get("/");
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  EXPECT_EQ(client_of(server).call(request).error().code, "http.header");
  EXPECT_EQ(client_of(server).call(get("/a b")).error().code, "http.url");
  EXPECT_EQ(client_of(server).call(get("/a\r\nX: 1")).error().code, "http.url");
}

TEST(Client, reads_an_early_answer_to_a_request_that_it_could_not_send_whole) {
  ScriptedServer server{[](auto& peer) { peer.say(http_answer(413, "too large")); }};
  auto request = post("/", std::string(50'000'000, 'x'));
  const auto response = client_of(server).call(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 413);
}

TEST(PercentEncode, keeps_unreserved_characters_only) {
  EXPECT_EQ(percent_encode("a-Z_0.~/{\"x\":[\"ü\"]}"), "a-Z_0.~%2F%7B%22x%22%3A%5B%22%C3%BC%22%5D%7D");
}

}  // namespace
}  // namespace slipway::http
