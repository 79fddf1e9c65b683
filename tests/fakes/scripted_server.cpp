#include "tests/fakes/scripted_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace slipway::fakes {

bool ScriptedServer::Peer::read_more() {
  std::array<char, 16384> piece{};
  const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::string ScriptedServer::Peer::read_request() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return {};
  }
  end += 4;
  if (const auto at = buffer_.find("Content-Length: "); at < end)
    end += std::strtoul(&buffer_[at + 16], nullptr, 10);
  while (buffer_.size() < end) {
    if (!read_more()) return {};
  }
  auto request = buffer_.substr(0, end);
  buffer_.erase(0, end);
  return request;
}

std::string ScriptedServer::Peer::read_to_end() {
  while (read_more()) {
  }
  return std::exchange(buffer_, {});
}

void ScriptedServer::Peer::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client has gone: what its test is about
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  std::string name = (std::filesystem::temp_directory_path() / "slipway-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = name;
  path_ = folder_ + "/server.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 16) != 0)
    throw std::runtime_error("listening on " + path_);
  acceptor_ = std::thread{[this] { serve(); }};
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock{mutex_};
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& peer : peers_) peer.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
  std::filesystem::remove_all(folder_);
}

std::size_t ScriptedServer::connections() const {
  const std::lock_guard lock{mutex_};
  return sockets_.size();
}

void ScriptedServer::serve() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock{mutex_};
    sockets_.push_back(socket);
    peers_.emplace_back([this, socket] {
      Peer peer{socket};
      script_(peer);
      ::shutdown(socket, SHUT_RDWR);
    });
  }
}

std::string http_answer(int status, std::string_view body, std::string_view content_type) {
  return "HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Type: " + std::string{content_type} +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

}  // namespace slipway::fakes
