#include "adapters/repository/sources.hpp"

#include <algorithm>

#include "adapters/repository/bson.hpp"
#include "ports/stores/reader.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;
using ports::SourceFile;

struct BucketDeleter {
  void operator()(mongoc_gridfs_bucket_t* bucket) const { mongoc_gridfs_bucket_destroy(bucket); }
};
struct DatabaseDeleter {
  void operator()(mongoc_database_t* database) const { mongoc_database_destroy(database); }
};
struct StreamDeleter {
  void operator()(mongoc_stream_t* stream) const { mongoc_stream_destroy(stream); }
};
using Bucket = std::unique_ptr<mongoc_gridfs_bucket_t, BucketDeleter>;
using Stream = std::unique_ptr<mongoc_stream_t, StreamDeleter>;

Result<Bucket> open_bucket(mongoc_client_t* client, const std::string& database_name) {
  const std::unique_ptr<mongoc_database_t, DatabaseDeleter> database(
      mongoc_client_get_database(client, database_name.c_str()));
  bson_error_t error{};
  Bucket bucket(
      mongoc_gridfs_bucket_new(database.get(), Bson(json{{"bucketName", "sources"}}).get(), nullptr, &error));
  if (!bucket) return map_error(error, Doing::kReading, "opening the bucket of sources");
  return bucket;
}

// Reads one archive; keeps a client of its own for as long as it lives.
class Reader final : public ports::SourceReader {
 public:
  Reader(std::unique_ptr<Connection::Client> client, Bucket bucket, Stream stream)
      : client_(std::move(client)), bucket_(std::move(bucket)), stream_(std::move(stream)) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    if (buffer.empty()) return std::size_t{0};
    const ssize_t count = mongoc_stream_read(stream_.get(), buffer.data(), buffer.size(), 1, 0);
    bson_error_t error{};
    if (mongoc_gridfs_bucket_stream_error(stream_.get(), &error))
      return map_error(error, Doing::kReading, "reading a source archive");
    if (count < 0) return internal_error("repository.client", "reading a source archive failed");
    return static_cast<std::size_t>(count);
  }

 private:
  const std::unique_ptr<Connection::Client> client_;
  const Bucket bucket_;
  const Stream stream_;
};

}  // namespace

Status MongoSources::create_indexes() const {
  return files_.create_indexes(
      json::array({{{"key", {{"filename", 1}, {"uploadDate", 1}}}, {"name", "filename_1_uploadDate_1"}}}));
}

Result<std::vector<SourceFile>> MongoSources::find(const std::string& path) {
  SLIPWAY_ASSIGN(auto documents, files_.find({{"filename", path}}, {{"sort", {{"uploadDate", -1}}}}));
  // Two uploads of one millisecond: ids made by one client rise.
  std::ranges::stable_sort(documents, [](const json& a, const json& b) {
    return a.value("uploadDate", json()) == b.value("uploadDate", json()) &&
           a.value("_id", json()) > b.value("_id", json());
  });
  std::vector<SourceFile> files;
  for (const auto& document : documents) {
    std::string problem;
    const ports::codec::Reader from(document, problem);
    SourceFile file{from.text("_id"), path, from.number("length"), from.date("uploadDate")};
    if (!problem.empty() || file.file_id.empty())
      return Error{ErrorKind::kCorrupt, "repository.corrupt", "the source archive " + path + ": " + problem};
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::unique_ptr<ports::SourceReader>> MongoSources::open(const std::string& file_id) {
  bson_value_t id{};
  if (bson_oid_is_valid(file_id.data(), file_id.size())) {
    id.value_type = BSON_TYPE_OID;
    bson_oid_init_from_string(&id.value.v_oid, file_id.c_str());
  } else {
    id.value_type = BSON_TYPE_UTF8;
    id.value.v_utf8.str = const_cast<char*>(file_id.data());
    id.value.v_utf8.len = static_cast<std::uint32_t>(file_id.size());
  }
  auto client = connection_.client();
  if (!client->get()) return connection_.exhausted();
  SLIPWAY_ASSIGN(Bucket bucket, open_bucket(client->get(), connection_.database()));
  bson_error_t error{};
  Stream stream(mongoc_gridfs_bucket_open_download_stream(bucket.get(), &id, &error));
  if (!stream) {
    if (error.domain == MONGOC_ERROR_GRIDFS && error.code == MONGOC_ERROR_GRIDFS_BUCKET_FILE_NOT_FOUND)
      return not_found("source.not_found", "there is no source archive with the id " + file_id);
    return map_error(error, Doing::kReading, "opening a source archive");
  }
  return std::make_unique<Reader>(std::move(client), std::move(bucket), std::move(stream));
}

Result<SourceFile> MongoSources::put(const std::string& path, std::string_view bytes) {
  const auto client = connection_.client();
  if (!client->get()) return connection_.exhausted();
  SLIPWAY_ASSIGN(const Bucket bucket, open_bucket(client->get(), connection_.database()));
  const auto failed = [&](const bson_error_t& error) {
    return map_error(error, Doing::kWriting, "storing the source archive " + path);
  };
  bson_error_t error{};
  bson_value_t id{};
  const Stream stream(
      mongoc_gridfs_bucket_open_upload_stream(bucket.get(), path.c_str(), nullptr, &id, &error));
  if (!stream) return failed(error);
  char hex[25];
  bson_oid_to_string(&id.value.v_oid, hex);
  const SourceFile file{hex, path, static_cast<std::int64_t>(bytes.size()), clock_.now()};
  bson_value_destroy(&id);
  while (!bytes.empty()) {
    const ssize_t written =
        mongoc_stream_write(stream.get(), const_cast<char*>(bytes.data()), bytes.size(), 0);
    if (written <= 0) {
      mongoc_gridfs_bucket_stream_error(stream.get(), &error);
      mongoc_gridfs_bucket_abort_upload(stream.get());
      return failed(error);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  // Closing writes the last chunk and the file's own document: nobody sees a file before it is whole.
  if (mongoc_stream_close(stream.get()) != 0 || mongoc_gridfs_bucket_stream_error(stream.get(), &error))
    return failed(error);
  return file;
}

}  // namespace slipway::repository
