#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include "adapters/http/client.hpp"
#include "adapters/http/tls.hpp"
#include "base/ids.hpp"
#include "base/thread.hpp"

namespace slipway::http {
namespace {

using namespace std::chrono_literals;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

struct Identity {
  Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  Owned<X509> certificate{X509_new()};
};

// Signed by `by`, or by itself: an authority. `address` is the server's, or empty.
Identity make_identity(const char* name, const Identity* by, const std::string& address = {}) {
  Identity made;
  X509* x = made.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), static_cast<long>(random_u64() % 1'000'000 + 1));
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  const Identity& issuer = by != nullptr ? *by : made;
  X509_set_issuer_name(x, X509_get_subject_name(issuer.certificate.get()));
  const auto add = [&](int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  };
  if (by == nullptr) add(NID_basic_constraints, "critical,CA:TRUE");
  if (!address.empty()) add(NID_subject_alt_name, "IP:" + address);
  X509_sign(x, issuer.key.get(), EVP_sha256());
  return made;
}

// Credentials in a folder, as a site has them: ca.pem, cert.pem, key.pem.
class Folder {
 public:
  Folder(const Identity& authority, const Identity& mine) {
    std::filesystem::create_directory(path_);
    const auto write = [this](const char* name, const auto& put) {
      FILE* file = std::fopen((path_ / name).c_str(), "w");
      put(file);
      std::fclose(file);
    };
    write("ca.pem", [&](FILE* file) { PEM_write_X509(file, authority.certificate.get()); });
    write("cert.pem", [&](FILE* file) { PEM_write_X509(file, mine.certificate.get()); });
    write("key.pem", [&](FILE* file) {
      PEM_write_PrivateKey(file, mine.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  Folder(const Folder&) = delete;  // removes its files
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  TlsFiles files() const { return {path_ / "ca.pem", path_ / "cert.pem", path_ / "key.pem"}; }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("slipway-tls-" + make_uuid());
};

// One connection at a time on 127.0.0.1; asks for a client certificate of `authority`.
class TlsServer {
 public:
  using Script = std::function<void(SSL*)>;
  TlsServer(const Identity& authority, const Identity& mine, Script script) : script_(std::move(script)) {
    SSL_CTX_use_certificate(context_.get(), mine.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), mine.key.get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.certificate.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ::ntohs(address.sin_port);
    thread_ = std::jthread{[this] { serve(); }};
  }
  TlsServer(const TlsServer&) = delete;  // its thread knows its address
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Client client(const TlsFiles& files) const { return Client{Address{{}, "127.0.0.1", port_, files}}; }

 private:
  void serve() {
    while (true) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      const timeval patience{5, 0};
      ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      const Owned<SSL> ssl{SSL_new(context_.get())};
      use_socket(ssl.get(), socket);
      if (SSL_accept(ssl.get()) == 1) script_(ssl.get());
      ::shutdown(socket, SHUT_WR);
      std::array<char, 1024> rest{};  // or a close would reset what the client has not read yet
      while (::recv(socket, rest.data(), rest.size(), 0) > 0) {
      }
      ::close(socket);
    }
  }

  const Script script_;
  Owned<SSL_CTX> context_{SSL_CTX_new(TLS_server_method())};
  int listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  int port_ = 0;
  std::jthread thread_;
};

void say(SSL* ssl, std::string_view bytes) {
  SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
}

std::string hear(SSL* ssl, std::string_view until) {
  std::string all;
  std::array<char, 4096> piece{};
  while (until.empty() || all.find(until) == std::string::npos) {
    const int got = SSL_read(ssl, piece.data(), piece.size());
    if (got <= 0) break;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  return all;
}

struct Tls : ::testing::Test {
  Identity authority = make_identity("authority", nullptr);
  Identity stranger = make_identity("stranger", nullptr);
  Identity server = make_identity("server", &authority, "127.0.0.1");
  Identity me = make_identity("me", &authority);
  TlsServer::Script answer = [](SSL* ssl) {
    for (int i = 0; i < 2 && !hear(ssl, "\r\n\r\n").empty(); ++i)
      say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    SSL_shutdown(ssl);
  };
};

TEST_F(Tls, talks_to_a_server_that_it_trusts_and_that_trusts_it) {
  TlsServer listening{authority, server, answer};
  const Folder mine{authority, me};
  auto client = listening.client(mine.files());
  for (int i = 0; i < 3; ++i) {  // the third finds its kept connection closed
    const auto response = client.call({});
    ASSERT_TRUE(response) << to_string(response.error());
    EXPECT_EQ(response->body, "hello");
  }
}

TEST_F(Tls, refuses_a_server_of_another_authority) {
  TlsServer listening{authority, server, answer};
  const Folder mine{stranger, me};
  const auto response = listening.client(mine.files()).call({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "tls.refused");
  EXPECT_EQ(response.error().kind, ErrorKind::kDenied);
}

TEST_F(Tls, refuses_a_server_with_anothers_certificate) {
  const auto elsewhere = make_identity("server", &authority, "127.0.0.9");
  TlsServer listening{authority, elsewhere, answer};
  const Folder mine{authority, me};
  EXPECT_EQ(listening.client(mine.files()).call({}).error().code, "tls.refused");
}

TEST_F(Tls, is_told_when_the_server_does_not_know_us) {
  TlsServer listening{authority, server, answer};
  const auto me_elsewhere = make_identity("me", &stranger);
  const Folder mine{authority, me_elsewhere};
  const auto response = listening.client(mine.files()).call({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "tls.refused");
  EXPECT_EQ(response.error().kind, ErrorKind::kDenied);
}

TEST_F(Tls, says_which_file_it_cannot_use) {
  TlsServer listening{authority, server, answer};
  const Folder mine{authority, me};
  auto files = mine.files();
  files.key = "/no/such/key.pem";
  const auto response = listening.client(files).call({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "tls.credentials");
  EXPECT_NE(response.error().message.find("/no/such/key.pem"), std::string::npos);
}

TEST_F(Tls, notices_a_stream_that_breaks_off) {
  TlsServer listening{authority, server, [](SSL* ssl) {
                        hear(ssl, "\r\n\r\n");
                        say(ssl, "HTTP/1.1 200 OK\r\n\r\nhalf");
                      }};
  const Folder mine{authority, me};
  const auto response = listening.client(mine.files()).call({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http.broken");
}

TEST_F(Tls, talks_raw_and_closes_its_half) {
  std::string heard;
  TlsServer listening{authority, server, [&](SSL* ssl) {
                        hear(ssl, "\r\n\r\n");
                        say(ssl, "HTTP/1.1 101 UPGRADED\r\n\r\n");
                        heard = hear(ssl, "");
                        say(ssl, "bye");
                        SSL_shutdown(ssl);
                      }};
  const Folder mine{authority, me};
  std::string got;
  const auto response =
      listening.client(mine.files()).converse({}, std::string(100'000, 'i'), [&](std::string_view piece) {
        got += piece;
        return true;
      });
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(heard.size(), 100'000U);
  EXPECT_EQ(got, "bye");
}

TEST_F(Tls, keeps_its_deadline_with_a_server_that_never_shakes_hands) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener, 8);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const Folder mine{authority, me};
  Client client{Address{{}, "127.0.0.1", ::ntohs(address.sin_port), mine.files()}};
  Request request;
  request.deadline = 50ms;
  const auto response = client.call(request);
  EXPECT_EQ(response.error().code, "http.timeout");
  EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable);
  ::close(listener);
}

}  // namespace
}  // namespace slipway::http
