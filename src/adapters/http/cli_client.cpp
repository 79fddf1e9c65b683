#include "adapters/http/cli_client.hpp"

#include <utility>

#include "adapters/http/client.hpp"

namespace slipway::http {
namespace {

constexpr std::size_t kMostLine = 4 << 20;
constexpr std::size_t kMostBody = 64 << 20;
constexpr std::chrono::milliseconds kIdle{35'000};  // the gateway says something every 10 s

Request request_of(const ports::HttpCall& call) {
  Request request;
  request.method = call.method;
  request.target = call.target;
  for (const auto& [name, value] : call.headers) {
    if (name == "Content-Type")
      request.content_type = value;
    else
      request.headers.emplace_back(name, value);
  }
  request.borrowed_body = call.body;
  request.deadline = call.deadline;
  request.max_body = kMostBody;
  return request;
}

ports::HttpAnswer answer_of(Response&& response) {
  ports::HttpAnswer answer{response.status, {}, std::move(response.body)};
  for (auto& [name, value] : response.headers) answer.headers[name] = std::move(value);
  return answer;
}

Error in_our_words(Error error) {
  if (error.code == "http.cancelled")
    error.code = "interrupted";
  else if (error.code == "http.unreachable")
    error.code = "server.unreachable";
  else if (error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kUnknown)
    error.code = "server.no_answer";
  return error;
}

/// Whole lines out of pieces; false when the handler has enough.
class Lines {
 public:
  explicit Lines(const std::function<bool(std::string_view)>& on_line) : on_line_(on_line) {}
  bool feed(std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      rest_ += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      if (!std::exchange(too_long_, false) && !on_line_(rest_)) return false;
      rest_.clear();
    }
    rest_ += piece;
    if (rest_.size() > kMostLine) {
      too_long_ = true;
      rest_.clear();
    }
    return true;
  }

 private:
  const std::function<bool(std::string_view)>& on_line_;
  std::string rest_;
  bool too_long_ = false;  ///< what stands in rest_ is the end of a line over the limit: dropped
};

class CliClient final : public ports::HttpClient {
 public:
  explicit CliClient(Address address) : client_(std::move(address)) {}

  Result<ports::HttpAnswer> call(const ports::HttpCall& call, const std::stop_token& stop) override {
    auto response = client_.call(request_of(call), stop);
    if (!response) return in_our_words(std::move(response).error());
    return answer_of(std::move(*response));
  }

  Result<ports::HttpAnswer> stream(const ports::HttpCall& call,
                                   const std::function<bool(std::string_view line)>& on_line,
                                   const std::stop_token& stop) override {
    Request request = request_of(call);
    request.deadline = std::chrono::milliseconds{0};  // it goes on for as long as it has something to say
    request.idle = kIdle;
    Lines lines(on_line);
    auto response = client_.stream(request, [&](std::string_view piece) { return lines.feed(piece); }, stop);
    if (!response) return in_our_words(std::move(response).error());
    return answer_of(std::move(*response));
  }

 private:
  Client client_;
};

}  // namespace

ports::HttpClientFactory cli_client_factory() {
  return [](const std::string& base_url) -> Result<std::unique_ptr<ports::HttpClient>> {
    std::string url = base_url;
    while (url.ends_with('/')) url.pop_back();
    auto address = Address::parse(url);
    if (!address) {
      Error error = std::move(address).error();
      error.code = "server.url";
      return error;
    }
    return std::unique_ptr<ports::HttpClient>(std::make_unique<CliClient>(std::move(*address)));
  };
}

}  // namespace slipway::http
