#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace slipway::fakes {

/// A server on a unix socket that says exactly the bytes that a test wants: what a real one never does on
/// demand.
class ScriptedServer {
 public:
  /// One connection, in the script's hands.
  class Peer {
   public:
    explicit Peer(int socket) : socket_(socket) {}
    /// The next request's head and body (by its Content-Length); empty when the client has gone.
    std::string read_request();
    void say(std::string_view bytes);
    /// What comes until the client closes its half.
    std::string read_to_end();

   private:
    bool read_more();
    int socket_;
    std::string buffer_;
  };
  /// Runs on a thread of its own for each connection; returning closes it.
  using Script = std::function<void(Peer&)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(const ScriptedServer&) = delete;  // its threads know its address
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  const std::string& path() const { return path_; }
  std::size_t connections() const;

 private:
  void serve();

  const Script script_;
  std::string folder_, path_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> peers_;
  std::thread acceptor_;
};

/// An answer with a Content-Length.
std::string http_answer(int status, std::string_view body,
                        std::string_view content_type = "application/json");

}  // namespace slipway::fakes
