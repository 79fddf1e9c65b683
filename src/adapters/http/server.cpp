#include "adapters/http/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/url.hpp"

namespace slipway::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kNever = std::chrono::hours{24 * 365};

/// What a handler pushes into and a connection sends from. Outlives the connection if somebody holds it.
class Stream final : public ports::HttpStream {
 public:
  Stream(std::size_t limit, std::function<void()> wake) : limit_(limit), wake_(std::move(wake)) {}

  Pushed push(std::string bytes) override {
    const std::scoped_lock lock(mutex_);
    if (closed_ || finished_) return Pushed::kClosed;
    if (!waiting_.empty() && waiting_.size() + bytes.size() > limit_) return Pushed::kFull;
    waiting_ += bytes;
    wake_();
    return Pushed::kTaken;
  }

  void finish() override {
    const std::scoped_lock lock(mutex_);
    if (closed_ || finished_) return;
    finished_ = true;
    wake_();
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

  /// Bytes to send; empty and `finished`: the end; empty alone: wait to be woken.
  std::string take(bool& finished) {
    const std::scoped_lock lock(mutex_);
    finished = finished_;
    return std::exchange(waiting_, {});
  }

  void close() {
    std::vector<std::function<void()>> callbacks;
    {
      const std::scoped_lock lock(mutex_);
      if (closed_) return;
      closed_ = true;
      if (wake_) wake_();
      wake_ = nullptr;  // it names the connection, which is about to end
      callbacks.swap(callbacks_);
    }
    for (const auto& callback : callbacks) callback();
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string waiting_;
  bool finished_ = false;
  bool closed_ = false;
  std::vector<std::function<void()>> callbacks_;
};

ports::HttpReply problem(int status, std::string_view code, std::string_view title) {
  ports::HttpReply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  reply.body =
      fmt::format(R"({{"type":"about:blank","status":{},"code":"{}","title":"{}"}})", status, code, title);
  return reply;
}

ports::HttpReply problem_of(const error_code& error) {
  if (error == wire::error::header_limit) return problem(431, "http.headers_too_large", "headers too large");
  if (error == wire::error::body_limit) return problem(413, "http.body_too_large", "body too large");
  return problem(400, "http.bad_request", "not a valid HTTP/1.1 request");
}

bool is_protocol_error(const error_code& error) {
  return error.category() == wire::make_error_code(wire::error::bad_method).category() &&
         error != wire::error::end_of_stream && error != wire::error::partial_message;
}

using Request = wire::request<wire::string_body>;

/// The request in the port's words, without its body; nothing if its target is no good.
std::optional<ports::HttpRequest> in_our_words(const Request& message) {
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  auto target = parse_target(text(message.target()));
  if (!target) return std::nullopt;
  ports::HttpRequest request;
  request.method = text(message.method_string());
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  for (const auto& field : message) {
    std::string name = text(field.name_string());
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string& value = request.headers[name];
    if (!value.empty()) value += ", ";
    value += text(field.value());
  }
  return request;
}

class Server final : public ports::HttpServer {
 public:
  Server(const ServerSettings& settings, Log log)
      : settings_(settings), log_(std::move(log)), acceptor_(io_), workers_(settings.workers) {}
  ~Server() override { stop(); }

  Status open() {
    error_code error;
    const auto address = asio::ip::make_address(settings_.bind, error);
    if (error || !address.is_loopback())
      return invalid("config.insecure_bind", fmt::format("'{}' is no loopback address", settings_.bind),
                     "without tokens and TLS the server answers on 127.0.0.1 only; use an SSH tunnel");
    const tcp::endpoint endpoint(address, settings_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::address_in_use)
      return conflict("server.address_in_use",
                      fmt::format("{}:{} is in use by another program", settings_.bind, settings_.port),
                      "set server.port, or stop the other one");
    if (error) return unavailable("server.bind", "binding: " + error.message());
    port_ = acceptor_.local_endpoint().port();
    return {};
  }

  void start(ports::HttpHandler& handler) override {
    handler_ = &handler;
    asio::co_spawn(io_, accept(), asio::detached);
    thread_ = std::jthread([this] { io_.run(); });
  }

  void stop() override {
    if (stopped_.exchange(true)) return;
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      for (Connection* connection : connections_) connection->abort();
    });
    if (thread_.joinable()) thread_.join();  // returns when the last connection has ended
    workers_.join();
  }

  std::uint16_t port() const override { return port_; }

 private:
  /// One client. Touched by the I/O thread only.
  struct Connection {
    Connection(Server& server, tcp::socket socket)
        : owner(server),
          stream(std::move(socket)),
          wake(owner.io_),
          buffer(settings().header_bytes + 64 * 1024) {
      owner.connections_.insert(this);
      if (owner.stopped_) abort();
    }
    ~Connection() {
      if (open_stream) open_stream->close();
      owner.body_bytes_ -= reserved;
      owner.connections_.erase(this);
    }
    Connection(const Connection&) = delete;  // its address is in the server's list
    Connection& operator=(const Connection&) = delete;
    const ServerSettings& settings() const { return owner.settings_; }
    void abort() {
      if (open_stream) open_stream->close();
      stream.close();
    }

    Server& owner;
    beast::tcp_stream stream;
    asio::steady_timer wake;  ///< cancelled when there is something to send on `open_stream`
    beast::flat_buffer buffer;
    std::uint64_t reserved = 0;  ///< of Server::body_bytes_
    std::shared_ptr<Stream> open_stream;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  asio::awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (stopped_) co_return;
      if (error) {  // out of file descriptors, mostly: wait for some to come back
        asio::steady_timer pause(io_, std::chrono::milliseconds{100});
        co_await pause.async_wait(kTuple);
        continue;
      }
      auto connection = std::make_shared<Connection>(*this, std::move(socket));
      asio::co_spawn(io_, serve(std::move(connection)), asio::detached);
    }
  }

  asio::awaitable<void> serve(ConnectionPtr connection) {
    try {
      if (connections_.size() > settings_.connections) {
        co_await send(connection, problem(503, "http.too_many_connections", "too many connections"), false,
                      false);
      } else {
        bool go_on = true;
        while (go_on && !stopped_) go_on = co_await serve_one(connection);
      }
    } catch (const std::exception& bug) {
      log_.error("a connection ended by an exception", {{"what", bug.what()}});
    }
    error_code ignored;
    connection->stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  /// One request and its answer; false when the connection is to be closed.
  asio::awaitable<bool> serve_one(ConnectionPtr connection) {
    wire::request_parser<wire::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(settings_.header_bytes));
    parser.body_limit(boost::none);
    const error_code header_error = co_await read_header(connection, parser);
    if (header_error) {
      if (is_protocol_error(header_error)) co_await send(connection, problem_of(header_error), false, false);
      co_return false;
    }
    auto request = in_our_words(parser.get());
    if (!request) {
      co_await send(connection, problem(400, "http.target", "not a valid address"), false, false);
      co_return false;
    }
    const bool head = request->method == "HEAD";
    if (head) request->method = "GET";
    auto refusal = admit_body(*connection, parser, *request);
    if (!refusal) refusal = co_await read_body(connection, parser);
    if (refusal) {
      if (refusal->status != 0) co_await send(connection, std::move(*refusal), head, false);
      co_return false;
    }
    const bool keep_alive = parser.get().keep_alive() && parser.get().version() == 11;
    request->body = std::move(parser.get().body());
    ports::HttpReply reply = co_await asio::co_spawn(workers_, answer(&*request), asio::use_awaitable);
    body_bytes_ -= std::exchange(connection->reserved, 0);
    if (reply.stream && !head && parser.get().version() == 11) {
      co_await send_stream(connection, std::move(reply));
      co_return false;
    }
    co_return co_await send(connection, std::move(reply), head, keep_alive);
  }

  asio::awaitable<error_code> read_header(ConnectionPtr connection,
                                          wire::request_parser<wire::string_body>& parser) {
    if (connection->buffer.size() == 0) {
      connection->stream.expires_after(settings_.idle);
      auto [error, count] =
          co_await connection->stream.async_read_some(connection->buffer.prepare(16 * 1024), kTuple);
      if (error) co_return error;
      connection->buffer.commit(count);
    }
    connection->stream.expires_after(settings_.header_deadline);
    auto [error, count] =
        co_await wire::async_read_header(connection->stream, connection->buffer, parser, kTuple);
    static_cast<void>(count);
    co_return error;
  }

  std::optional<ports::HttpReply> admit_body(Connection& connection,
                                             wire::request_parser<wire::string_body>& parser,
                                             const ports::HttpRequest& request) {
    const std::uint64_t limit = handler_->body_limit(request);
    const auto length = parser.content_length();
    if (length && *length > limit) return problem(413, "http.body_too_large", "body too large");
    parser.body_limit(limit);
    const std::uint64_t needed = parser.chunked() ? limit : length.value_or(0);
    if (body_bytes_ + needed > settings_.body_bytes_in_flight)
      return problem(503, "http.busy", "too many bodies at once; try again");
    body_bytes_ += needed;
    connection.reserved = needed;
    return std::nullopt;
  }

  /// Nothing when the body is there; a refusal with status 0 when the client is gone.
  asio::awaitable<std::optional<ports::HttpReply>> read_body(
      ConnectionPtr connection, wire::request_parser<wire::string_body>& parser) {
    ports::HttpReply gone;
    gone.status = 0;
    if (beast::iequals(parser.get()[wire::field::expect], "100-continue") && !parser.is_done()) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      auto [error, count] = co_await asio::async_write(
          connection->stream, asio::buffer(kContinue.data(), kContinue.size()), kTuple);
      static_cast<void>(count);
      if (error) co_return gone;
    }
    while (!parser.is_done()) {
      connection->stream.expires_after(settings_.idle);
      auto [error, count] =
          co_await wire::async_read_some(connection->stream, connection->buffer, parser, kTuple);
      static_cast<void>(count);
      if (!error) continue;
      if (is_protocol_error(error)) co_return problem_of(error);
      co_return gone;
    }
    co_return std::nullopt;
  }

  /// On a worker thread.
  asio::awaitable<ports::HttpReply> answer(const ports::HttpRequest* request) {
    try {
      co_return handler_->answer(*request);
    } catch (const std::exception& bug) {
      log_.error("a handler threw", {{"path", request->path}, {"what", bug.what()}});
      co_return problem(500, "internal", "a bug in the server; its log says more");
    }
  }

  template <class Message>
  static void set_head(Message& message, const ports::HttpReply& reply, bool keep_alive) {
    message.version(11);
    message.result(static_cast<unsigned>(reply.status));
    message.set(wire::field::content_type, reply.content_type);
    for (const auto& [name, value] : reply.headers) message.set(name, value);
    message.keep_alive(keep_alive);
  }

  asio::awaitable<bool> send(ConnectionPtr connection, ports::HttpReply reply, bool head, bool keep_alive) {
    wire::response<wire::string_body> message;
    set_head(message, reply, keep_alive);
    const std::size_t length = reply.body.size();
    if (!head) message.body() = std::move(reply.body);
    message.content_length(length);
    connection->stream.expires_after(settings_.write_deadline);
    wire::response_serializer<wire::string_body> serializer(message);
    error_code failed;
    if (head) {
      auto [error, count] = co_await wire::async_write_header(connection->stream, serializer, kTuple);
      static_cast<void>(count);
      failed = error;
    } else {
      auto [error, count] = co_await wire::async_write(connection->stream, serializer, kTuple);
      static_cast<void>(count);
      failed = error;
    }
    co_return !failed && keep_alive;
  }

  asio::awaitable<void> send_stream(ConnectionPtr connection, ports::HttpReply reply) {
    wire::response<wire::empty_body> message;
    set_head(message, reply, false);
    message.chunked(true);
    wire::response_serializer<wire::empty_body> serializer(message);
    connection->stream.expires_after(settings_.write_deadline);
    {
      auto [error, count] = co_await wire::async_write_header(connection->stream, serializer, kTuple);
      static_cast<void>(count);
      if (error) co_return;
    }
    connection->open_stream = std::make_shared<Stream>(settings_.stream_buffer,
                                                       [this, weak = std::weak_ptr<Connection>(connection)] {
                                                         asio::post(io_, [weak] {
                                                           if (const auto alive = weak.lock())
                                                             alive->wake.cancel();
                                                         });
                                                       });
    const std::shared_ptr<Stream> open_stream = connection->open_stream;
    if (!reply.body.empty()) open_stream->push(std::move(reply.body));
    reply.stream(open_stream);
    notice_the_end(connection);
    co_await pump(connection, open_stream);
    open_stream->close();
    connection->stream.close();
  }

  /// A client that is gone is seen by its end of file, also while there is nothing to send.
  static void notice_the_end(const ConnectionPtr& connection) {
    auto byte = std::make_shared<char>();
    connection->stream.socket().async_read_some(
        asio::buffer(byte.get(), 1), [byte, open_stream = connection->open_stream](
                                         const error_code&, std::size_t) { open_stream->close(); });
  }

  asio::awaitable<void> pump(ConnectionPtr connection, std::shared_ptr<Stream> open_stream) {
    while (!open_stream->closed()) {
      bool finished = false;
      const std::string bytes = open_stream->take(finished);
      connection->stream.expires_after(settings_.write_deadline);
      if (!bytes.empty()) {
        auto [error, count] =
            co_await asio::async_write(connection->stream, wire::make_chunk(asio::buffer(bytes)), kTuple);
        static_cast<void>(count);
        if (error) co_return;
      } else if (finished) {
        co_await asio::async_write(connection->stream, wire::make_chunk_last(), kTuple);
        co_return;
      } else {
        connection->wake.expires_after(kNever);
        co_await connection->wake.async_wait(kTuple);
      }
    }
  }

  const ServerSettings settings_;
  const Log log_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::thread_pool workers_;
  std::uint16_t port_ = 0;
  ports::HttpHandler* handler_ = nullptr;
  std::atomic<bool> stopped_ = false;
  // touched by the I/O thread only
  std::set<Connection*> connections_;
  std::uint64_t body_bytes_ = 0;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace

Result<std::unique_ptr<ports::HttpServer>> listen(const ServerSettings& settings, Log log) {
  auto server = std::make_unique<Server>(settings, std::move(log));
  SLIPWAY_TRY(server->open());
  return std::unique_ptr<ports::HttpServer>(std::move(server));
}

}  // namespace slipway::http
