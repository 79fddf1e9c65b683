#include "page.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>

namespace {

struct Socket {
  int fd;
  explicit Socket(int descriptor) : fd(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd); }
};

/// "/healthz" of "GET /healthz HTTP/1.1"; a client that says nothing is not waited for.
std::string path_of(int fd) {
  const timeval patience{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string head;
  char part[1024];
  while (head.size() < 8192 && head.find("\r\n\r\n") == std::string::npos) {
    const auto count = recv(fd, part, sizeof part, 0);
    if (count <= 0) return {};
    head.append(part, static_cast<std::size_t>(count));
  }
  const auto begin = head.find(' ');
  const auto end = head.find(' ', begin + 1);
  return begin == std::string::npos || end == std::string::npos ? ""
                                                                : head.substr(begin + 1, end - begin - 1);
}

void answer_one(int fd, const Answer& answer) {
  const std::string path = path_of(fd);
  if (path.empty()) return;
  const std::string body = answer(path);
  const std::string text = std::string(body.empty() ? "HTTP/1.1 404 Not Found" : "HTTP/1.1 200 OK") +
                           "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body;
  (void)send(fd, text.data(), text.size(), MSG_NOSIGNAL);  // who hung up does not want it
}

}  // namespace

void serve(int port, const Answer& answer, const std::atomic<bool>& stopping) {
  const Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<unsigned short>(port));
  if (bind(listener.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener.fd, 16) != 0)
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  while (!stopping) {
    pollfd waiting{listener.fd, POLLIN, 0};
    if (poll(&waiting, 1, 200) <= 0) continue;
    const Socket client(accept(listener.fd, nullptr, nullptr));
    if (client.fd >= 0) answer_one(client.fd, answer);
  }
}
