#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "adapters/docker/answers.hpp"
#include "adapters/docker/build_output.hpp"
#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/json_fields.hpp"

namespace slipway::docker {
namespace {

using namespace std::chrono_literals;
constexpr auto kTransfer = 10min;  // of an image, either way
constexpr auto kTransferIdle = 120s;
constexpr std::int64_t kBuildMemory = 2LL << 30;

// "name:tag", "registry/name@sha256:..." or an id: the engine wants the slashes as they are.
std::string image_path(const std::string& reference, std::string_view rest) {
  std::string path = "/images/";
  for (const char c : reference) {
    path += c == '/' || c == ':' || c == '@' ? std::string{c} : http::percent_encode(std::string_view{&c, 1});
  }
  return path.append(rest);
}

http::Request build_request(const ports::BuildSpec& spec, const std::string& context_tar) {
  // forcerm: the containers of a failed step go too. No network: nothing but what the context holds.
  auto request = make_request("POST", "/build" + query({{"t", spec.tag},
                                                        {"dockerfile", spec.dockerfile},
                                                        {"labels", dump(spec.labels)},
                                                        {"buildargs", dump(spec.args)},
                                                        {"networkmode", spec.network ? "default" : "none"},
                                                        {"memory", std::to_string(kBuildMemory)},
                                                        {"memswap", std::to_string(kBuildMemory)},
                                                        {"rm", "1"},
                                                        {"forcerm", "1"}}));
  request.content_type = "application/x-tar";
  request.borrowed_body = context_tar;
  request.deadline = spec.deadline;
  request.idle = spec.idle;
  return request;
}

// In the Engine's words or in those of a step's own program.
bool says_full(const std::string& text) {
  return text.find("o space left on device") != std::string::npos;
}

Error build_failed(const std::string& words, const BuildOutput& output) {
  const auto lines = output.last_lines();
  const bool full = says_full(words) || std::ranges::any_of(lines, says_full);
  auto error = full ? unavailable("engine.disk_full", words) : invalid("build.failed", words);
  error.last_logs = lines;
  return error;
}

Error build_interrupted(Error error, const ports::BuildSpec& spec, const BuildOutput& output) {
  if (error.code == "engine.cancelled") return unavailable("build.cancelled", "the build was given up");
  if (error.code == "engine.timeout")
    error = invalid("build.timeout", fmt::format("the build was given up after {} s, or {} s of silence",
                                                 spec.deadline.count(), spec.idle.count()));
  error.last_logs = output.last_lines();
  return error;
}

bool has_labels(const ports::Image& image, const std::map<std::string, std::string>& labels) {
  for (const auto& [name, value] : labels) {
    const auto found = image.labels.find(name);
    if (found == image.labels.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

Result<ports::Image> DockerEngine::build(const ports::BuildSpec& spec, const std::string& context_tar,
                                         const ports::LineHandler& on_line, const std::stop_token& stop) {
  BuildOutput output{on_line};
  const auto take = [&](std::string_view line) {
    output.feed(line);
    return true;
  };
  auto response = api_.stream_lines(build_request(spec, context_tar), take, stop);
  output.finish();
  if (!response) return build_interrupted(std::move(response).error(), spec, output);
  if (!response->ok()) return build_failed(parse_message(response->body), output);
  if (!output.error().empty()) return build_failed(output.error(), output);
  if (output.image_id().empty())
    return Error{ErrorKind::kUnknown, "engine.broken", "the build's output ended without an image", {}, {},
                 output.last_lines()};
  SLIPWAY_ASSIGN(auto image, inspect_image(output.image_id()));
  if (!image || !has_labels(*image, spec.labels))
    return Error{ErrorKind::kUnknown, "engine.failed",
                 "the image that was built is not there, or not with its labels"};
  return std::move(*image);
}

Result<std::optional<ports::Image>> DockerEngine::find_image(const std::string& label) {
  SLIPWAY_ASSIGN(
      const auto response,
      api_.call(make_request("GET", "/images/json" + query({{"filters", label_filter({label})}}))));
  SLIPWAY_TRY(expect_ok(response, "looking for an image"));
  SLIPWAY_ASSIGN(const auto ids, parse_image_ids(response.body));
  for (const auto& id : ids) {  // one that was just removed may still be in the list
    SLIPWAY_ASSIGN(auto image, inspect_image(id));
    if (image) return image;
  }
  return std::optional<ports::Image>{};
}

Result<std::optional<ports::Image>> DockerEngine::inspect_image(const std::string& reference) {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("GET", image_path(reference, "/json"))));
  if (response.status == 404) return std::optional<ports::Image>{};
  SLIPWAY_TRY(expect_ok(response, "inspecting the image " + reference));
  SLIPWAY_ASSIGN(auto image, parse_image(response.body));
  return std::optional{std::move(image)};
}

Status DockerEngine::load_image(const std::string& archive_path) {
  auto request = make_request("POST", "/images/load?quiet=1");
  request.content_type = "application/x-tar";
  request.body_file = archive_path;
  request.deadline = kTransfer;
  request.idle = kTransferIdle;
  const ports::LineHandler nobody;
  BuildOutput output{nobody};  // the same words: an error comes in the stream
  const auto take = [&](std::string_view line) {
    output.feed(line);
    return true;
  };
  SLIPWAY_ASSIGN(const auto response, api_.stream_lines(std::move(request), take));
  output.finish();
  SLIPWAY_TRY(expect_ok(response, "loading " + archive_path));
  if (output.error().empty()) return {};
  if (output.error().find("no space left on device") != std::string::npos)
    return unavailable("engine.disk_full", fmt::format("loading {}: {}", archive_path, output.error()));
  return invalid("engine.archive", fmt::format("loading {}: {}", archive_path, output.error()));
}

Status DockerEngine::save_image(const std::string& reference, const std::string& archive_path) {
  auto request = make_request("GET", image_path(reference, "/get"));
  request.deadline = kTransfer;
  request.idle = kTransferIdle;
  const std::string part = fmt::format("{}.{}.part", archive_path, ::getpid());
  std::ofstream file{part, std::ios::binary | std::ios::trunc};
  auto response = api_.stream(std::move(request), [&](std::string_view piece) {
    return static_cast<bool>(file.write(piece.data(), static_cast<std::streamsize>(piece.size())));
  });
  file.close();
  auto status = response ? expect_ok(*response, "saving " + reference) : Status{std::move(response).error()};
  std::error_code failed;
  if (status && file) std::filesystem::rename(part, archive_path, failed);
  // A file that cannot be written also ends the transfer: its reason comes first.
  if (!file || failed)
    status = unavailable("server.disk_full", "cannot write " + archive_path,
                         "free space in the server's folder for temporary files (TMPDIR)");
  if (!status) std::filesystem::remove(part, failed);
  return status;
}

}  // namespace slipway::docker
