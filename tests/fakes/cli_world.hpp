#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "cli/cli.hpp"

namespace slipway::cli {

/// A server in memory: what a test wants it to answer, and what it was asked.
struct ScriptedServer {
  using Call = ports::HttpCall;
  struct Stream {
    std::vector<std::string> lines;
    std::optional<Error> broken;         ///< after the lines; none: the server ends the stream
    std::function<void()> before_end{};  ///< such as the user's Ctrl-C
  };
  std::map<std::string, std::deque<Result<ports::HttpAnswer>>>
      answers;  ///< "GET /target": the last one stays
  std::deque<Stream> streams;
  std::vector<Call> calls;

  void on(const std::string& what, const nlohmann::json& body, int status = 200) {
    answers[what].push_back(ports::HttpAnswer{status, {}, body.dump()});
  }
  void on(const std::string& what, Error error) { answers[what].push_back(std::move(error)); }
  const Call* find(const std::string& method, std::string_view target) const {
    for (const Call& call : calls)
      if (call.method == method && call.target.starts_with(target)) return &call;
    return nullptr;
  }
};

class ScriptedClient final : public ports::HttpClient {
 public:
  explicit ScriptedClient(ScriptedServer& server) : server_(server) {}
  Result<ports::HttpAnswer> call(const ports::HttpCall& call, const std::stop_token&) override {
    server_.calls.push_back(call);
    const auto found = server_.answers.find(call.method + " " + call.target);
    if (found == server_.answers.end() || found->second.empty())
      return ports::HttpAnswer{
          404, {}, R"({"code":"http.no_such_route","kind":"not_found","detail":"no answer scripted"})"};
    auto answer = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    return answer;
  }
  Result<ports::HttpAnswer> stream(const ports::HttpCall& call,
                                   const std::function<bool(std::string_view)>& on_line,
                                   const std::stop_token& stop) override {
    server_.calls.push_back(call);
    if (server_.streams.empty()) return unavailable("server.unreachable", "no stream scripted");
    const ScriptedServer::Stream scripted = server_.streams.front();
    server_.streams.pop_front();
    for (const std::string& line : scripted.lines)
      if (!on_line(line)) return ports::HttpAnswer{200, {}, {}};
    if (scripted.before_end) scripted.before_end();
    if (stop.stop_requested()) return unavailable("interrupted", "stopped");
    if (scripted.broken) return *scripted.broken;
    return ports::HttpAnswer{200, {}, {}};
  }

 private:
  ScriptedServer& server_;
};

/// Every folder holds the same service, but "missing", which is not there.
class ScriptedArchives final : public Archives {
 public:
  std::string meta = "name: boiler-monitor\nversion: 1.4.0\nruntime: python@3.11\ncommand: python3 main.py\n";
  Result<Source> read_source(ByteSource&, const ArchiveLimits&) const override {
    return internal_error("test", "");
  }
  Result<Source> pack_folder(const std::filesystem::path& folder, const ArchiveLimits&) const override {
    if (folder == "missing") return not_found("source.not_found", "there is no folder 'missing'");
    Source source;
    source.tar = std::string(2048, 't');
    source.digest = sha256_hex(source.tar);
    source.entries = {{SourceEntry::Kind::kFile, "main.py", 10, false, ""},
                      {SourceEntry::Kind::kFile, "service.yaml", 10, false, ""}};
    source.meta_name = "service.yaml";
    source.meta_text = meta;
    return source;
  }
  Result<std::string> make_tar(std::span<const TarEntry>) const override {
    return internal_error("test", "");
  }
  Result<std::string> make_context(const Source&, std::string_view,
                                   std::span<const TarEntry>) const override {
    return internal_error("test", "");
  }
  Result<std::string> read_file(std::string_view, std::string_view, std::size_t) const override {
    return internal_error("test", "");
  }
};

class CliTest : public testing::Test {
 protected:
  int run(std::vector<std::string> args) {
    out.str("");
    err.str("");
    CliContext context{
        .in = in,
        .out = out,
        .err = err,
        .in_is_terminal = terminal,
        .out_is_terminal = false,
        .err_is_terminal = false,
        .columns = 80,
        .env = [this](const std::string& name) -> std::optional<std::string> {
          const auto found = env.find(name);
          return found == env.end() ? std::nullopt : std::optional(found->second);
        },
        .connect = [this](const std::string& url) -> Result<std::unique_ptr<ports::HttpClient>> {
          connected_to = url;
          return std::unique_ptr<ports::HttpClient>(std::make_unique<ScriptedClient>(server));
        },
        .archives = archives,
        .clock = clock,
        .interrupted = interrupt.get_token(),
        .serve =
            [this](const ServeOptions& options) {
              served = options;
              return 0;
            },
        .user = "anna",
        .version = "0.1.0"};
    return run_cli(std::move(args), context);
  }

  std::istringstream in;
  std::ostringstream out, err;
  bool terminal = false;
  std::map<std::string, std::string> env{{"LANG", "C.UTF-8"}};
  std::string connected_to;
  ScriptedServer server;
  ScriptedArchives archives;
  SystemClock clock;
  std::stop_source interrupt;
  std::optional<ServeOptions> served;
};

}  // namespace slipway::cli
