#include <fmt/format.h>

#include <filesystem>

#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::string_view kFileScheme = "file://";

// A GridFS file as a stream of bytes.
class StoredBytes : public ByteSource {
 public:
  StoredBytes(std::unique_ptr<ports::SourceReader> reader, const World& world, const std::string& service)
      : reader_(std::move(reader)), world_(world), service_(service) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    auto count = reader_->read(buffer);
    world_.failpoints.hit(Failpoint::kFetching, service_);
    return count;
  }

 private:
  std::unique_ptr<ports::SourceReader> reader_;
  const World& world_;
  const std::string& service_;
};

Result<Source> fetch_folder(World& world, const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::canonical(path.substr(kFileScheme.size()), error);
  if (error)
    return not_found("source.not_found", fmt::format("there is no folder {}", path),
                     "the Deployment Manager must see it");
  for (const auto& root : world.settings.allowed_roots) {
    const auto below = std::filesystem::weakly_canonical(root, error);
    const auto relative = folder.lexically_relative(below);
    if (!relative.empty() && *relative.begin() != "..") return world.archives.pack_folder(folder);
  }
  return denied("source.not_allowed", fmt::format("{} is not below an allowed folder", path),
                "put it into the Repository, or add its root to repository.allowed_roots");
}

Result<Source> fetch_stored(World& world, const std::string& service, const std::string& path,
                            const std::string& digest) {
  SLIPWAY_ASSIGN(const auto files, world.repository.sources().find(path));
  if (files.empty())
    return not_found("source.not_found", fmt::format("the Repository holds no archive '{}'", path),
                     "put one into the GridFS bucket `sources` under this file name");
  for (const auto& file : files) {
    SLIPWAY_ASSIGN(auto reader, world.repository.sources().open(file.file_id));
    StoredBytes bytes(std::move(reader), world, service);
    auto source = world.archives.read_source(bytes);
    if (!source) return source;
    // Without a pin the newest counts; with one the newest that has it.
    if (digest.empty() || source->digest == digest || source->archive_digest == digest) return source;
  }
  return conflict("source.digest", fmt::format("no archive '{}' has the digest {}", path, digest));
}

}  // namespace

Result<Source> fetch_source(StageContext& context, const std::string& path, const std::string& digest) {
  auto& world = context.world;
  return persistently(world, std::chrono::seconds{60}, context.stop, [&] {
    if (!path.starts_with(kFileScheme)) return fetch_stored(world, context.journal.service(), path, digest);
    auto source = fetch_folder(world, path);
    if (source && !digest.empty() && source->digest != digest)
      return Result<Source>(
          conflict("source.digest", fmt::format("{} does not have the digest {}", path, digest)));
    return source;
  });
}

StageResult fetch(StageContext& context) {
  auto& journal = context.journal;
  const auto& request = journal.request();
  auto& release = context.release;
  if (reuses_release(request)) {
    ports::Release wanted{.service_id = journal.service(),
                          .number = std::stoll(journal.fact("from_release"))};
    SLIPWAY_ASSIGN(const auto stored, context.world.repository.releases().find(wanted.id()));
    if (!stored) return not_found("release.unknown", fmt::format("there is no release {}", wanted.id()));
    release = *stored;
    return StageOutcome{
        .message = fmt::format("release {} as it was", release.number), .hint = {}, .end = {}};
  }
  SLIPWAY_ASSIGN(context.source, fetch_source(context, request.path, request.digest));
  release.service_id = journal.service();
  release.request_id = journal.id();
  release.path = request.path;
  release.source_digest = context.source->digest;
  SLIPWAY_TRY(journal.remember({{"source_digest", release.source_digest}}));
  std::string message = fmt::format("{} files, sha256 {}", context.source->file_paths().size(),
                                    release.source_digest.substr(0, 12));
  if (context.source->warnings.empty()) return StageOutcome{.message = message, .hint = {}, .end = {}};
  const auto& first = context.source->warnings.front();
  return StageOutcome{
      .message = fmt::format("{}; {} ({} in all)", message, first.message, context.source->warnings.size()),
      .state = messages::State::kWarning,
      .hint = first.hint,
      .end = {}};
}

}  // namespace slipway::deployment_manager
