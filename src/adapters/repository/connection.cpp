#include "adapters/repository/connection.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "adapters/repository/bson.hpp"
#include "adapters/repository/repository.hpp"

namespace slipway::repository {
namespace {

struct ClientDeleter {
  void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
};
struct WriteConcernDeleter {
  void operator()(mongoc_write_concern_t* concern) const { mongoc_write_concern_destroy(concern); }
};

// libmongoc wants one initialization per process; what it would print comes back as errors anyway.
void initialize_once() {
  static const bool done = [] {
    mongoc_init();
    mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
    return true;
  }();
  (void)done;
}

std::string hosts_of(const mongoc_uri_t* uri) {
  std::string hosts;
  for (const auto* host = mongoc_uri_get_hosts(uri); host; host = host->next)
    hosts += (hosts.empty() ? "" : ",") + std::string(host->host_and_port);
  return hosts;
}

constexpr const char* kServerTrouble = "the log of the Repository's server tells why; often its disk is full";

bool is_time_out_or_lost(std::uint32_t code) {
  return code == MONGOC_ERROR_STREAM_SOCKET || code == MONGOC_ERROR_STREAM_CONNECT ||
         code == MONGOC_ERROR_STREAM_INVALID_STATE;
}

Error map_server_code(const bson_error_t& error, Doing doing, std::string message) {
  switch (error.code) {
    case 11000:  // DuplicateKey
    case 11001:
      return conflict("repository.duplicate", std::move(message));
    case 13:    // Unauthorized
    case 18:    // AuthenticationFailed
    case 8000:  // AtlasError
      return denied("repository.denied", std::move(message),
                    "check the user and the rights in the Repository's URI");
    case 91:     // ShutdownInProgress
    case 189:    // PrimarySteppedDown
    case 10107:  // NotWritablePrimary
    case 13435:  // NotPrimaryNoSecondaryOk
    case 13436:  // NotPrimaryOrSecondary
      return unavailable("repository.unavailable", std::move(message));
    case 50:     // MaxTimeMSExpired
    case 64:     // WriteConcernFailed
    case 11600:  // InterruptedAtShutdown
    case 11602:  // InterruptedDueToReplStateChange
    case 100:    // UnsatisfiableWriteConcern: written, not on enough members
      if (doing == Doing::kWriting) return {ErrorKind::kUnknown, "repository.unknown", std::move(message)};
      return unavailable("repository.unavailable", std::move(message));
    case 14031:  // OutOfDiskSpace: nothing was written
      return unavailable("repository.full", std::move(message), "free space on the disk of the Repository");
    case 1:  // InternalError
    case 8:  // UnknownError: its own trouble, of which we learn nothing
      if (doing == Doing::kWriting)
        return {ErrorKind::kUnknown, "repository.unknown", std::move(message), {}, kServerTrouble};
      return unavailable("repository.unavailable", std::move(message), kServerTrouble);
    case 10334:  // BSONObjectTooLarge
    case 17280:  // KeyTooLong
      return invalid("repository.too_large", std::move(message));
    default:
      return internal_error("repository.server", std::move(message));
  }
}

}  // namespace

Error map_error(const bson_error_t& error, Doing doing, const std::string& what) {
  std::string message = fmt::format("{}: {}", what, error.message);
  switch (error.domain) {
    case MONGOC_ERROR_SERVER_SELECTION:
      if (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return denied("repository.denied", std::move(message),
                      "check the user and password in the Repository's URI");
      return unavailable("repository.unavailable", std::move(message), "is the Repository's server running?");
    case MONGOC_ERROR_STREAM:
      // A call that was sent and not answered may have had its effect.
      if (doing == Doing::kWriting && is_time_out_or_lost(error.code))
        return {ErrorKind::kUnknown, "repository.unknown", std::move(message)};
      return unavailable("repository.unavailable", std::move(message));
    case MONGOC_ERROR_CLIENT:
      if (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return denied("repository.denied", std::move(message),
                      "check the user and password in the Repository's URI");
      return internal_error("repository.client", std::move(message));
    case MONGOC_ERROR_BSON:
      return invalid("repository.too_large", std::move(message));
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_COMMAND:
    case MONGOC_ERROR_COLLECTION:
    case MONGOC_ERROR_QUERY:
    case MONGOC_ERROR_CURSOR:
    case MONGOC_ERROR_WRITE_CONCERN:
    case MONGOC_ERROR_GRIDFS:
      return map_server_code(error, doing, std::move(message));
    default:
      return internal_error("repository.client", std::move(message));
  }
}

Result<std::unique_ptr<Connection>> Connection::create(const RepositorySettings& settings) {
  initialize_once();
  bson_error_t error{};
  Uri uri(mongoc_uri_new_with_error(settings.uri.c_str(), &error));
  if (!uri)
    return invalid("repository.uri", "the Repository's URI cannot be read",
                   "it looks like mongodb://user:password@host:27017/?replicaSet=rs0");
  const auto ms = [](milliseconds time) { return static_cast<std::int32_t>(time.count()); };
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                 ms(settings.server_selection));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, ms(settings.server_selection));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, ms(settings.socket));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_WAITQUEUETIMEOUTMS, ms(settings.socket));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_MAXPOOLSIZE, settings.connections);
  // A write whose answer is lost is *unknown* to us and looked up by its owner. A silent second try would
  // report a conditional update that had its effect as one that found nothing; a standalone server refuses it
  // at all.
  mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYWRITES, false);
  mongoc_uri_set_appname(uri.get(), "slipway");

  const std::unique_ptr<mongoc_write_concern_t, WriteConcernDeleter> concern(mongoc_write_concern_new());
  mongoc_write_concern_set_wmajority(concern.get(), ms(settings.socket));
  mongoc_write_concern_set_journal(concern.get(), true);
  mongoc_uri_set_write_concern(uri.get(), concern.get());

  Pool pool(mongoc_client_pool_new_with_error(uri.get(), &error));
  if (!pool) return map_error(error, Doing::kReading, "opening the Repository");
  mongoc_client_pool_set_error_api(pool.get(), MONGOC_ERROR_API_VERSION_2);
  std::string hosts = hosts_of(uri.get());
  return std::unique_ptr<Connection>(
      new Connection(std::move(uri), std::move(pool), settings.database, std::move(hosts)));
}

Status Connection::ping(milliseconds timeout) const {
  // The pool's clients wait for a server as long as everybody else does; this one may not.
  const Uri uri(mongoc_uri_copy(uri_.get()));
  const auto half = static_cast<std::int32_t>(timeout.count() / 2);
  for (const char* option :
       {MONGOC_URI_SERVERSELECTIONTIMEOUTMS, MONGOC_URI_CONNECTTIMEOUTMS, MONGOC_URI_SOCKETTIMEOUTMS})
    mongoc_uri_set_option_as_int32(uri.get(), option, half);
  bson_error_t error{};
  const std::unique_ptr<mongoc_client_t, ClientDeleter> client(
      mongoc_client_new_from_uri_with_error(uri.get(), &error));
  if (client && mongoc_client_command_simple(client.get(), "admin", Bson(nlohmann::json{{"ping", 1}}).get(),
                                             nullptr, nullptr, &error))
    return {};
  return map_error(error, Doing::kReading, "asking the Repository");
}

Error Connection::exhausted() const {
  return unavailable("repository.busy", "all connections to the Repository at " + hosts_ + " stayed busy");
}

}  // namespace slipway::repository
