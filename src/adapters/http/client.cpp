#include "adapters/http/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cctype>
#include <fstream>
#include <mutex>

#include "adapters/http/connection.hpp"
#include "adapters/http/lines.hpp"

namespace slipway::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::size_t kIdleConnections = 8;
constexpr std::uint32_t kHeaderLimit = 64U << 10;
constexpr std::size_t kPiece = 64U << 10;

// What Beast reads from: a Connection as its SyncReadStream.
struct Source {
  Connection& connection;

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& failed) {
    const asio::mutable_buffer first = *asio::buffer_sequence_begin(buffers);
    const std::size_t got = connection.read_some(static_cast<char*>(first.data()), first.size());
    // Only a peer that closed may end a body without a length; silence and a stop must not look like it.
    failed = {};
    if (got == 0) {
      const bool closed = connection.end() == Connection::End::kClosed;
      failed = closed ? asio::error::make_error_code(asio::error::eof)
                      : asio::error::make_error_code(asio::error::operation_aborted);
    }
    return got;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code failed;
    const std::size_t got = read_some(buffers, failed);
    if (failed) throw boost::system::system_error{failed};
    return got;
  }
};

bool only_reads(const Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

bool has_line_end(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) != text.npos;
}

std::string host_header(const Address& address) {
  if (address.host.empty()) return "localhost";
  const bool ip6 = address.host.find(':') != std::string::npos;
  return ip6 ? fmt::format("[{}]:{}", address.host, address.port)
             : fmt::format("{}:{}", address.host, address.port);
}

Result<std::string> write_head(const Address& address, const Request& request, std::size_t body_size,
                               bool upgrade) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (has_line_end(request.target) || request.target.find(' ') != std::string::npos ||
      !request.target.starts_with('/'))
    return invalid("http.url", "not a request target: " + request.target);
  head += fmt::format("Host: {}\r\nUser-Agent: slipway\r\n", host_header(address));
  for (const auto& [name, value] : request.headers) {
    if (has_line_end(name) || has_line_end(value))
      return invalid("http.header", "a line end in the header " + name);
    head += fmt::format("{}: {}\r\n", name, value);
  }
  if (!request.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", request.content_type);
  if (upgrade) head += "Connection: Upgrade\r\nUpgrade: tcp\r\n";
  if (body_size > 0 || !only_reads(request)) head += fmt::format("Content-Length: {}\r\n", body_size);
  return head + "\r\n";
}

// One request and its answer on one connection.
class Exchange {
 public:
  Exchange(Connection& connection, const Request& request)
      : connection_(connection),
        request_(request),
        what_(request.method + " " + request.target.substr(0, request.target.find('?'))) {
    parser_.header_limit(kHeaderLimit);
    parser_.body_limit(boost::none);
    if (request.method == "HEAD") parser_.skip(true);
  }

  // An answer may come although the request could not be sent whole: then it is what counts.
  Status send(const Address& address, bool upgrade) {
    std::ifstream file;
    std::size_t size = body().size();
    if (!request_.body_file.empty()) {
      file.open(request_.body_file, std::ios::binary | std::ios::ate);
      if (!file) return not_found("http.body_file", "cannot open " + request_.body_file);
      size = static_cast<std::size_t>(file.tellg());
      file.seekg(0);
    }
    SLIPWAY_ASSIGN(const auto head, write_head(address, request_, size, upgrade));
    sent_ = connection_.write_all(head.data(), head.size()) &&
            (file.is_open() ? send_file(file, size) : connection_.write_all(body().data(), body().size()));
    if (file_ended_)
      return Error{ErrorKind::kCorrupt, "http.body_file", request_.body_file + " became shorter"};
    if (!sent_ && connection_.end() != Connection::End::kBroken) return failure("sending");
    return {};
  }

  Status read_head() {
    Source source{connection_};
    error_code failed;
    beast::http::read_header(source, buffer_, parser_, failed);
    if (failed) return read_failure(failed);
    const auto& message = parser_.get();
    response_.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      std::string name{field.name_string()};
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      response_.headers.emplace_back(std::move(name), std::string{field.value()});
    }
    return {};
  }

  // Hands the body to `on_piece`, as it comes.
  Status read_body(const PieceHandler& on_piece) {
    Source source{connection_};
    std::array<char, kPiece> piece;
    while (!parser_.is_done()) {
      auto& body = parser_.get().body();
      body.data = piece.data();
      body.size = piece.size();
      error_code failed;
      beast::http::read_some(source, buffer_, parser_, failed);
      const std::size_t got = piece.size() - body.size;
      if (got > 0 && !on_piece({piece.data(), got})) {
        broken_off_ = true;
        return {};
      }
      if (failed && failed != beast::http::error::need_buffer) return read_failure(failed);
    }
    return {};
  }

  Status keep_body() {
    bool fits = true;
    SLIPWAY_TRY(read_body([&](std::string_view piece) {
      fits = response_.body.size() + piece.size() <= request_.max_body;
      if (fits) response_.body.append(piece);
      return fits;
    }));
    if (fits) return {};
    return Error{ErrorKind::kCorrupt, "http.too_large",
                 fmt::format("{}: the answer is larger than {} bytes", what_, request_.max_body)};
  }

  Status converse(std::string_view input, const PieceHandler& on_piece) {
    broken_off_ = true;
    const auto early = buffer_.data();
    if (early.size() > 0 && !on_piece({static_cast<const char*>(early.data()), early.size()})) return {};
    std::array<char, kPiece> piece;
    if (input.empty()) connection_.close_write();
    while (true) {
      const bool had_input = !input.empty();
      const std::size_t got = connection_.exchange(input, piece.data(), piece.size());
      if (had_input && input.empty()) connection_.close_write();
      if (got > 0 && !on_piece({piece.data(), got})) return {};
      if (connection_.end() == Connection::End::kClosed) return {};
      if (connection_.end() != Connection::End::kNone) return failure("talking");
    }
  }

  Response take_response() { return std::move(response_); }
  const Response& response() const { return response_; }
  bool reusable() const {
    return sent_ && !broken_off_ && parser_.is_done() && parser_.keep_alive() && buffer_.size() == 0;
  }
  // A kept connection that the server closed meanwhile: it has not seen the request.
  bool nothing_came() const {
    const auto end = connection_.end();
    return !parser_.is_header_done() && buffer_.size() == 0 &&
           (end == Connection::End::kClosed || end == Connection::End::kBroken);
  }

 private:
  std::string_view body() const {
    return request_.borrowed_body.empty() ? std::string_view{request_.body} : request_.borrowed_body;
  }

  bool send_file(std::ifstream& file, std::size_t size) {
    std::array<char, kPiece> piece;
    while (size > 0) {
      const auto part = std::min(size, piece.size());
      if (!file.read(piece.data(), static_cast<std::streamsize>(part))) {
        file_ended_ = true;
        return false;
      }
      if (!connection_.write_all(piece.data(), part)) return false;
      size -= part;
    }
    return true;
  }

  Status read_failure(const error_code& failed) {
    if (failed.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
        failed != beast::http::error::end_of_stream && failed != beast::http::error::partial_message)
      return Error{ErrorKind::kCorrupt, "http.malformed",
                   fmt::format("{}: not an HTTP answer: {}", what_, failed.message())};
    return failure("reading the answer");
  }

  Error failure(std::string_view what) const {
    const bool may_have_happened = sent_ && !only_reads(request_);
    const auto kind = may_have_happened ? ErrorKind::kUnknown : ErrorKind::kUnavailable;
    const auto make = [&](const char* code, std::string_view why) {
      return Error{kind, code, fmt::format("{}: {}: {}", what_, what, why)};
    };
    switch (connection_.end()) {
      case Connection::End::kTimeout:
        return make("http.timeout", "no answer in time");
      case Connection::End::kStopped:
        return make("http.cancelled", "given up");
      case Connection::End::kRefused: {
        auto error = make("tls.refused", connection_.detail());
        error.kind = ErrorKind::kDenied;
        return error;
      }
      case Connection::End::kBroken:
        return make("http.broken", connection_.detail());
      default:
        return make("http.broken", "the server closed the connection");
    }
  }

  Connection& connection_;
  const Request& request_;
  const std::string what_;  // for messages
  beast::flat_buffer buffer_;
  beast::http::response_parser<beast::http::buffer_body> parser_;
  Response response_;
  bool sent_ = false;
  bool broken_off_ = false;
  bool file_ended_ = false;
};

}  // namespace

std::string Response::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &Headers::value_type::first);
  return found == headers.end() ? std::string{} : found->second;
}

struct Client::State {
  const Address address;
  std::mutex mutex;  // guards the rest
  SslContext tls;
  std::vector<std::unique_ptr<Connection>> idle;

  explicit State(Address where) : address(std::move(where)) {}

  std::unique_ptr<Connection> take_idle() {
    const std::lock_guard lock{mutex};
    while (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      if (!connection->stale()) return connection;
    }
    return nullptr;
  }

  Result<std::unique_ptr<Connection>> connect(const Limits& limits) {
    ssl_ctx_st* context = nullptr;
    if (address.tls) {
      const std::lock_guard lock{mutex};
      if (!tls) {
        SLIPWAY_ASSIGN(tls, make_ssl_context(*address.tls));
      }
      context = tls.get();
    }
    return Connection::open(address, context, limits);
  }

  void give_back(std::unique_ptr<Connection> connection) {
    connection->set_limits({});
    const std::lock_guard lock{mutex};
    if (idle.size() < kIdleConnections) idle.push_back(std::move(connection));
  }

  // What a call does with the answer once its head is there.
  using Answer = std::function<Status(Exchange&)>;

  Result<Response> run(const Request& request, const std::stop_token& stop, bool upgrade,
                       const Answer& answer) {
    Limits limits;
    if (request.deadline.count() > 0) limits.until = std::chrono::steady_clock::now() + request.deadline;
    limits.idle = request.idle;
    limits.stop = stop;
    auto connection = take_idle();
    const bool kept = connection != nullptr;
    if (!kept) {
      SLIPWAY_ASSIGN(connection, connect(limits));
    }
    connection->set_limits(limits);
    auto exchange = std::make_unique<Exchange>(*connection, request);
    auto done = exchange->send(address, upgrade);
    if (done) done = exchange->read_head();
    if (!done && kept && only_reads(request) && exchange->nothing_came()) {
      exchange.reset();
      connection.reset();  // before the next one: a server may serve one at a time
      SLIPWAY_ASSIGN(connection, connect(limits));
      connection->set_limits(limits);
      exchange = std::make_unique<Exchange>(*connection, request);
      done = exchange->send(address, upgrade);
      if (done) done = exchange->read_head();
    }
    if (done) done = answer(*exchange);
    if (!done) return std::move(done).error();
    auto response = exchange->take_response();
    const bool reusable = exchange->reusable();
    exchange.reset();
    if (reusable) give_back(std::move(connection));
    return response;
  }
};

Client::Client(Address address) : state_(std::make_unique<State>(std::move(address))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Response> Client::call(const Request& request, const std::stop_token& stop) {
  return state_->run(request, stop, false, [](Exchange& exchange) { return exchange.keep_body(); });
}

Result<Response> Client::stream(const Request& request, const PieceHandler& on_piece,
                                const std::stop_token& stop, const std::function<void()>& on_head) {
  return state_->run(request, stop, false, [&](Exchange& exchange) {
    if (!exchange.response().ok()) return exchange.keep_body();
    if (on_head) on_head();
    return exchange.read_body(on_piece);
  });
}

Result<Response> Client::stream_lines(const Request& request, const PieceHandler& on_line,
                                      const std::stop_token& stop, const std::function<void()>& on_head) {
  LineSplitter lines{on_line};
  auto response = stream(request, [&](std::string_view piece) { return lines.feed(piece); }, stop, on_head);
  lines.finish();
  return response;
}

Result<Response> Client::converse(const Request& request, std::string_view input,
                                  const PieceHandler& on_piece, const std::stop_token& stop) {
  return state_->run(request, stop, true, [&](Exchange& exchange) {
    if (exchange.response().status == 101) return exchange.converse(input, on_piece);
    if (exchange.response().ok())
      return Status{
          internal_error("http.no_upgrade", "the server does not turn the connection into a stream")};
    return exchange.keep_body();
  });
}

}  // namespace slipway::http
