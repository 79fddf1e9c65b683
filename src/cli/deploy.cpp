#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/ids.hpp"
#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/follow.hpp"
#include "cli/local_source.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using messages::Action;
using messages::DeploymentRequest;

DeploymentRequest new_request(Session& session, std::string service, Action action) {
  DeploymentRequest request;
  request.request_id = make_id("r-", session.world.clock.now());
  request.action = action;
  request.service_id = std::move(service);
  request.requested_by = session.world.user;
  return request;
}

Story story_of(Session& session, const DeploymentRequest& request, milliseconds deadline) {
  Story story;
  story.request_id = request.request_id;
  story.service_id = request.service_id;
  if (request.machine) story.machine = request.machine->name;
  story.deadline = deadline;
  story.begun = session.world.clock.now();
  return story;
}

std::optional<messages::MachineRef> machine_ref(const std::string& name) {
  if (name.empty()) return std::nullopt;
  return messages::MachineRef{name, {}, {}};
}

/// "boiler-monitor/1.4.0"; without a version the beginning of the content's digest stands for it.
std::string path_for(const LocalSource& local) {
  std::string version = local.spec.version;
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._+-").contains(c);
  };
  if (version.empty() || version.size() > 100 || version == "." || version == ".." ||
      !std::ranges::all_of(version, good))
    version = local.source.digest.substr(0, 12);
  return local.spec.name + "/" + version;
}

int deploy_path(Session& session, const DeployOptions& options) {
  const std::string service =
      options.service.empty() ? options.path.substr(0, options.path.find('/')) : options.service;
  DeploymentRequest request = new_request(session, service, Action::kDeploy);
  request.path = options.path;
  request.machine = machine_ref(options.machine);
  const Story story = story_of(session, request, options.timeout);
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  Progress progress(session, title_of(story, {}));
  return send_and_follow(session, *api, &progress, request, story);
}

/// Puts the packed folder into the Repository.
Status upload(Api& api, Progress& progress, const LocalSource& local, const std::string& path) {
  const std::string what = fmt::format("{} files, {}", local.source.file_paths().size(),
                                       human_bytes(static_cast<double>(local.source.tar.size())));
  progress.set("Upload", ProgressRow::State::kRunning, what);
  const auto stored = api.put("/api/v1/sources/" + percent_encode(path, "/"), local.source.tar);
  if (stored) {
    progress.set("Upload", ProgressRow::State::kDone, what);
    return {};
  }
  progress.set("Upload", ProgressRow::State::kFailed, stored.error().message);
  return stored.error();
}

int deploy_folder(Session& session, const DeployOptions& options) {
  DeploymentRequest request = new_request(session, options.folder, Action::kDeploy);
  request.machine = machine_ref(options.machine);
  const WallTime begun = session.world.clock.now();
  const auto local = read_folder(session.world.archives, options.folder);
  if (!local) return say_trouble(session, local.error());
  request.service_id = local->spec.name;
  request.path = path_for(*local);
  request.digest = local->source.digest;

  Story story = story_of(session, request, options.timeout);
  story.begun = begun;
  story.version = local->spec.version;
  story.runtime = runtime_of(local->spec);
  story.local_source = true;
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  Progress progress(session, title_of(story, {}));
  progress.set("Validate", local->warnings.empty() ? ProgressRow::State::kDone : ProgressRow::State::kWarning,
               local->source.meta_name, session.world.clock.now() - begun);
  if (!local->detected.empty()) progress.note("    " + local->detected);
  for (const std::string& warning : local->warnings) progress.note("    warning: " + warning);
  if (const Status stored = upload(*api, progress, *local, request.path); !stored) {
    progress.finish();
    return fail(session, stored.error());
  }
  return send_and_follow(session, *api, &progress, request, story);
}

struct ActionWords {
  Action action;
  std::string_view done;
};

ActionWords action_of(std::string_view name) {
  if (name == "stop") return {Action::kStop, "Stopped"};
  if (name == "start") return {Action::kStart, "Started"};
  if (name == "restart") return {Action::kRestart, "Restarted"};
  if (name == "rollback") return {Action::kRollback, "Rolled back"};
  return {Action::kRemove, "Removed"};
}

}  // namespace

int deploy(Session& session, const DeployOptions& options) {
  return options.path.empty() ? deploy_folder(session, options) : deploy_path(session, options);
}

int wish(Session& session, const WishOptions& options) {
  const ActionWords words = action_of(options.action);
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  // Said before anything is asked or sent: no such service, with the nearest name.
  if (const auto known = api->get("/api/v1/services/" + percent_encode(options.service)); !known)
    return fail(session, known.error());
  if (words.action == Action::kRemove)
    if (const Status agreed = confirm(session, "Remove " + options.service + " and its containers?"); !agreed)
      return fail(session, agreed.error());
  DeploymentRequest request = new_request(session, options.service, words.action);
  request.release = options.release;
  Story story = story_of(session, request, options.timeout);
  story.done = words.done;
  Progress progress(session, title_of(story, {}));
  return send_and_follow(session, *api, &progress, request, story);
}

int follow_request(Session& session, const std::string& request_id) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto found = api->get("/api/v1/deployments/" + percent_encode(request_id));
  if (!found) return fail(session, found.error());
  Story story;
  story.request_id = request_id;
  story.service_id = text_of(*found, "service_id");
  story.begun = session.world.clock.now();
  story.done = action_of(text_of(*found, "action")).done;
  if (text_of(*found, "action") == "deploy") story.done = "Deployed";
  Progress progress(session, title_of(story, {}));
  return follow(session, *api, &progress, story);
}

int cancel_request(Session& session, const std::string& request_id) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto found = api->get("/api/v1/deployments/" + percent_encode(request_id));
  if (!found) return fail(session, found.error());
  DeploymentRequest request = new_request(session, text_of(*found, "service_id"), Action::kCancel);
  request.cancels = request_id;
  Story story = story_of(session, request, milliseconds{60'000});
  story.done = "Cancelled " + short_id(request_id) + " of";
  Progress progress(session, title_of(story, {}));
  return send_and_follow(session, *api, &progress, request, story);
}

}  // namespace slipway::cli
