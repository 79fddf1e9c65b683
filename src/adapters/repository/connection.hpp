#pragma once

#include <mongoc/mongoc.h>

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::repository {

struct RepositorySettings;

struct PoolDeleter {
  void operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }
};
struct UriDeleter {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
using Pool = std::unique_ptr<mongoc_client_pool_t, PoolDeleter>;
using Uri = std::unique_ptr<mongoc_uri_t, UriDeleter>;

/// What a failed call was about to do: decides whether its outcome is unknown.
enum class Doing { kReading, kWriting };

/// The one place where libmongoc's and the server's errors become ours. `what`: "reading lanes".
Error map_error(const bson_error_t& error, Doing doing, const std::string& what);

/// Clients for any thread; lives as long as everything made from it.
class Connection {
 public:
  /// One client, given back to the pool at the end of its life. Not for sharing between threads.
  class Client {
   public:
    explicit Client(mongoc_client_pool_t* pool) : pool_(pool), client_(mongoc_client_pool_pop(pool)) {}
    Client(const Client&) = delete;  // given back once
    Client& operator=(const Client&) = delete;
    ~Client() {
      if (client_) mongoc_client_pool_push(pool_, client_);
    }
    /// Null when all clients stayed busy for too long.
    mongoc_client_t* get() const { return client_; }

   private:
    mongoc_client_pool_t* pool_;
    mongoc_client_t* client_;
  };

  /// Does not speak to the server yet. Invalid if the URI is none (it is not repeated in the error: it may
  /// hold a password).
  static Result<std::unique_ptr<Connection>> create(const RepositorySettings& settings);

  /// Asks the server over a connection of its own; fails within `timeout`.
  Status ping(milliseconds timeout) const;
  std::unique_ptr<Client> client() const { return std::make_unique<Client>(pool_.get()); }
  const std::string& database() const { return database_; }
  /// The servers' addresses, without user and password.
  const std::string& hosts() const { return hosts_; }
  Error exhausted() const;

 private:
  Connection(Uri uri, Pool pool, std::string database, std::string hosts)
      : uri_(std::move(uri)),
        pool_(std::move(pool)),
        database_(std::move(database)),
        hosts_(std::move(hosts)) {}

  const Uri uri_;
  const Pool pool_;
  const std::string database_;
  const std::string hosts_;
};

}  // namespace slipway::repository
