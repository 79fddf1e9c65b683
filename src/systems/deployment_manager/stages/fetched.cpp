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

Result<Source> fetch_folder(World& world, const std::string& path, const std::string& digest,
                            const ArchiveLimits& limits) {
  std::error_code error;
  const auto folder = std::filesystem::canonical(path.substr(kFileScheme.size()), error);
  if (error)
    return not_found("source.not_found", fmt::format("there is no folder {}", path),
                     "the Deployment Manager must see it");
  for (const auto& root : world.settings.allowed_roots) {
    const auto below = std::filesystem::weakly_canonical(root, error);
    const auto relative = folder.lexically_relative(below);
    if (relative.empty() || *relative.begin() == "..") continue;
    auto source = world.archives.pack_folder(folder, limits);
    if (!source || digest.empty() || source->digest == digest) return source;
    return conflict("source.digest", fmt::format("{} does not have the digest {}", path, digest),
                    "leave the digest out, or name the one it has");
  }
  return denied("source.not_allowed", fmt::format("{} is not below an allowed folder", path),
                "put it into the Repository, or add its root to repository.allowed_roots");
}

Result<Source> fetch_stored(World& world, const std::string& service, const std::string& path,
                            const std::string& digest, const ArchiveLimits& limits) {
  SLIPWAY_ASSIGN(const auto files, world.repository.sources().find(path));
  if (files.empty())
    return not_found("source.not_found", fmt::format("the Repository holds no archive '{}'", path),
                     "put one into the GridFS bucket `sources` under this file name");
  for (const auto& file : files) {
    SLIPWAY_ASSIGN(auto reader, world.repository.sources().open(file.file_id));
    StoredBytes bytes(std::move(reader), world, service);
    auto source = world.archives.read_source(bytes, limits);
    if (!source) return source;
    // Without a pin the newest counts; with one the newest that has it.
    if (digest.empty() || source->digest == digest || source->archive_digest == digest) return source;
  }
  return conflict("source.digest", fmt::format("no archive '{}' has the digest {}", path, digest),
                  "leave the digest out, or name the one it has");
}

// Its files, and the tar that is made of them.
std::uint64_t room_for(std::uint64_t unpacked) {
  return 2 * unpacked;
}

Status read_in_room(StageContext& context, const std::string& path, const std::string& digest,
                    const ArchiveLimits& limits) {
  auto& world = context.world;
  context.source_room = {};  // before waiting for more: two who each keep a part would wait for ever
  SLIPWAY_ASSIGN(context.source_room, world.source_room->take(room_for(limits.bytes), context.stop));
  auto source = persistently(world, std::chrono::seconds{60}, context.stop, [&] {
    return path.starts_with(kFileScheme)
               ? fetch_folder(world, path, digest, limits)
               : fetch_stored(world, context.journal.service(), path, digest, limits);
  });
  if (!source) {
    context.source_room = {};
    if (source.error().where.empty()) source.error().where = path;
    return source.error();
  }
  context.source_room.shrink_to(room_for(source->tar.size()));
  context.source = std::move(*source);
  return {};
}

}  // namespace

Status fetch_source(StageContext& context, const std::string& path, const std::string& digest) {
  // Most sources are small: they do not wait for the room that the largest may take.
  constexpr std::uint64_t kSmall = 16ULL << 20;
  auto fetched = read_in_room(context, path, digest, {.bytes = kSmall});
  if (!fetched && fetched.error().code == "archive.too_large")
    fetched = read_in_room(context, path, digest, {});
  return fetched;
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
  SLIPWAY_TRY(fetch_source(context, request.path, request.digest));
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
