#include "tests/fakes/fake_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/digest.hpp"
#include "base/time_text.hpp"
#include "tests/fakes/tiny_tar.hpp"

namespace slipway::fakes {

using ports::Container;
using ports::ContainerSpec;
using ports::Image;

struct FakeEngine::Held {
  Container container;
  ContainerSpec spec;
  ContainerScript script;
  std::vector<std::string> logs;
  std::map<std::string, std::string> files;
  bool exec_answered = false;
};

namespace {

const SystemClock kSystemClock;

bool carries(const std::map<std::string, std::string>& labels, const std::string& wanted) {
  const auto equals = wanted.find('=');
  const auto found = labels.find(wanted.substr(0, equals));
  if (found == labels.end()) return false;
  return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

std::string first_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

Error no_container(const std::string& id) {
  return not_found("engine.not_found", "no such container: " + id);
}

void map_ports(Container& container, const ContainerSpec& spec, int& next_port) {
  container.ports.clear();
  for (const auto& port : spec.ports) {
    const int published = port.published != 0 ? port.published : next_port++;
    container.ports[port.target] = fmt::format("{}:{}", port.host_ip, published);
  }
}

}  // namespace

EngineFault lost_answer(bool takes_effect) {
  return {{ErrorKind::kUnknown, "engine.timeout", "no answer in time"}, takes_effect};
}

EngineFault unreachable() {
  return {unavailable("engine.unreachable", "connection refused"), false};
}

FakeEngine::FakeEngine(const Clock* clock) : clock_(clock != nullptr ? clock : &kSystemClock) {}

// --- set up
// --------------------------------------------------------------------------------------------------

void FakeEngine::script(std::function<ContainerScript(const ContainerSpec&)> script) {
  const std::lock_guard lock{mutex_};
  script_ = std::move(script);
}

void FakeEngine::fail_next(const std::string& operation, EngineFault fault) {
  const std::lock_guard lock{mutex_};
  faults_[operation].push_back(std::move(fault));
}

void FakeEngine::stop_failing() {
  const std::lock_guard lock{mutex_};
  faults_.clear();
}

void FakeEngine::fail_next_build(std::vector<std::string> output) {
  const std::lock_guard lock{mutex_};
  failing_builds_.push_back(std::move(output));
}

void FakeEngine::set_down(bool down) {
  const std::lock_guard lock{mutex_};
  down_ = down;
  changed_.notify_all();
}

void FakeEngine::hold_builds(bool hold) {
  const std::lock_guard lock{mutex_};
  hold_builds_ = hold;
  changed_.notify_all();
}

void FakeEngine::release_execs() {
  const std::lock_guard lock{mutex_};
  ++exec_release_;
  changed_.notify_all();
}

void FakeEngine::set_built_image(Image image) {
  const std::lock_guard lock{mutex_};
  built_image_ = std::move(image);
}

void FakeEngine::add_image(Image image) {
  const std::lock_guard lock{mutex_};
  remember(std::move(image));
}

std::string FakeEngine::add_container(Container container) {
  const std::lock_guard lock{mutex_};
  if (container.id.empty()) container.id = sha256_hex(fmt::format("container {}", next_++));
  auto held = std::make_shared<Held>();
  held->container = std::move(container);
  held->spec.name = held->container.name;
  held->spec.labels = held->container.labels;
  containers_.push_back(held);
  return held->container.id;
}

void FakeEngine::die(const std::string& id_or_name, int exit_code, bool oom) {
  const std::lock_guard lock{mutex_};
  if (auto* held = find(id_or_name); held != nullptr && held->container.running) end(*held, exit_code, oom);
}

void FakeEngine::set_health(const std::string& id_or_name, const std::string& health) {
  const std::lock_guard lock{mutex_};
  if (auto* held = find(id_or_name)) {
    held->container.health = health;
    emit(*held, "health_status", {}, health);
  }
}

void FakeEngine::pause(const std::string& id_or_name) {
  const std::lock_guard lock{mutex_};
  if (auto* held = find(id_or_name); held != nullptr && held->container.running)
    held->container.state = "paused";
}

void FakeEngine::log_line(const std::string& id_or_name, const std::string& line) {
  const std::lock_guard lock{mutex_};
  if (auto* held = find(id_or_name)) held->logs.push_back(line);
  changed_.notify_all();
}

// --- look at
// -------------------------------------------------------------------------------------------------

std::vector<std::string> FakeEngine::calls() const {
  const std::lock_guard lock{mutex_};
  return calls_;
}

std::size_t FakeEngine::count(const std::string& operation) const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(std::ranges::count_if(
      calls_, [&](const std::string& call) { return call.substr(0, call.find(' ')) == operation; }));
}

void FakeEngine::forget_calls() {
  const std::lock_guard lock{mutex_};
  calls_.clear();
}

std::vector<ports::EngineEvent> FakeEngine::events() const {
  const std::lock_guard lock{mutex_};
  return events_;
}

std::optional<ContainerSpec> FakeEngine::spec_of(const std::string& id_or_name) const {
  const std::lock_guard lock{mutex_};
  const auto* held = find(id_or_name);
  return held == nullptr ? std::nullopt : std::optional{held->spec};
}

std::map<std::string, std::string> FakeEngine::files_of(const std::string& id_or_name) const {
  const std::lock_guard lock{mutex_};
  const auto* held = find(id_or_name);
  return held == nullptr ? std::map<std::string, std::string>{} : held->files;
}

std::vector<ports::BuildSpec> FakeEngine::builds() const {
  const std::lock_guard lock{mutex_};
  return builds_;
}

std::string FakeEngine::last_build_context() const {
  const std::lock_guard lock{mutex_};
  return last_context_;
}

std::size_t FakeEngine::watchers() const {
  const std::lock_guard lock{mutex_};
  return watchers_;
}

// --- inside; all with the lock held
// ----------------------------------------------------------------------------

std::optional<EngineFault> FakeEngine::enter(const std::string& operation, const std::string& what) {
  calls_.push_back(what.empty() ? operation : operation + " " + what);
  if (down_) return unreachable();
  auto& queue = faults_[operation];
  if (queue.empty()) return std::nullopt;
  auto fault = std::move(queue.front());
  queue.pop_front();
  return fault;
}

FakeEngine::Held* FakeEngine::find(const std::string& id_or_name) {
  return const_cast<Held*>(std::as_const(*this).find(id_or_name));
}

const FakeEngine::Held* FakeEngine::find(const std::string& id_or_name) const {
  for (const auto& held : containers_) {
    if (held->container.id == id_or_name || held->container.name == id_or_name) return held.get();
  }
  return nullptr;
}

std::string FakeEngine::name_of(const std::string& id_or_name) const {
  const auto* held = find(id_or_name);
  return held == nullptr ? id_or_name : held->container.name;
}

std::string FakeEngine::stamp() {
  auto text = to_rfc3339(clock_->now());
  text.pop_back();
  return fmt::format("{}{:06}Z", text, next_++ % 1'000'000);
}

Image& FakeEngine::remember(Image image) {
  if (image.id.empty()) image.id = "sha256:" + sha256_hex(fmt::format("image {}", next_++));
  for (const auto& tag : image.tags) {
    for (auto& other : images_) std::erase(other.tags, tag);
  }
  return images_.emplace_back(std::move(image));
}

void FakeEngine::emit(const Held& held, const std::string& action, std::optional<int> exit_code,
                      const std::string& health) {
  ports::EngineEvent event;
  event.action = action;
  event.container_id = held.container.id;
  event.labels = held.container.labels;
  event.labels["name"] = held.container.name;
  event.labels["image"] = held.container.image;
  if (exit_code) event.labels["exitCode"] = std::to_string(*exit_code);
  event.exit_code = exit_code;
  event.health = health;
  event.at = clock_->now();
  events_.push_back(std::move(event));
  changed_.notify_all();
}

// What is started to look at something and say so ends by itself.
static bool is_probe(const ContainerSpec& spec) {
  return spec.entrypoint && !spec.entrypoint->empty() && spec.entrypoint->front() == "/probe/slipway-probe";
}

void FakeEngine::begin(Held& held) {
  auto& container = held.container;
  container.state = "running";
  container.running = true;
  container.exit_code = 0;
  container.oom_killed = false;
  container.error.clear();
  container.started_at = stamp();
  container.health = held.spec.health.test.empty() ? "none" : held.script.health;
  map_ports(container, held.spec, next_port_);
  held.logs.insert(held.logs.end(), held.script.logs.begin(), held.script.logs.end());
  emit(held, "start");
  if (held.script.dies_at_start)
    end(held, *held.script.dies_at_start, held.script.oom);
  else if (is_probe(held.spec))
    end(held, 0, false);
}

void FakeEngine::end(Held& held, int exit_code, bool oom) {
  auto& container = held.container;
  container.running = false;
  container.state = "exited";
  container.exit_code = exit_code;
  container.oom_killed = oom;
  container.finished_at = stamp();
  container.ports.clear();
  if (oom) emit(held, "oom");
  emit(held, "die", exit_code);
  const bool again = container.restart == "always" || (container.restart.starts_with("on-failure") &&
                                                       exit_code != 0 && container.restart_count < 5);
  if (!again) return;
  ++container.restart_count;
  if (held.script.dies_at_start) {
    container.state = "restarting";  // the real one backs off here; for ever is long enough for a test
  } else {
    begin(held);
  }
}

// --- the port
// ------------------------------------------------------------------------------------------------

Status FakeEngine::ping() {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("ping", "")) return fault->error;
  return {};
}

Result<ports::EngineInfo> FakeEngine::info() {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("info", "")) return fault->error;
  ports::EngineInfo info;
  info.version = "20.10.24";
  info.api_version = "1.41";
  info.name = "fake";
  info.architecture = "x86_64";
  info.os = "Fake Linux";
  info.kernel = "6.1.0";
  info.storage_driver = "memory";
  info.root_dir = "/var/lib/docker";
  info.cgroup_version = 2;
  info.cpus = 2;
  info.memory = 8LL << 30;
  info.engine_id = "FAKE";
  return info;
}

Result<Image> FakeEngine::build(const ports::BuildSpec& spec, const std::string& context_tar,
                                const ports::LineHandler& on_line, const std::stop_token& stop) {
  std::vector<std::string> output{"Step 1/2 : FROM base", "Step 2/2 : COPY . /app"};
  std::optional<std::vector<std::string>> failing;
  std::optional<EngineFault> fault;
  {
    std::unique_lock lock{mutex_};
    fault = enter("build", spec.tag);
    if (fault && !fault->takes_effect) return fault->error;
    builds_.push_back(spec);
    last_context_ = context_tar;
    if (!failing_builds_.empty()) {
      failing = std::move(failing_builds_.front());
      failing_builds_.pop_front();
      output = *failing;
    }
    changed_.notify_all();
    changed_.wait_for(lock, stop, spec.deadline, [&] { return !hold_builds_ || down_; });
    if (stop.stop_requested()) return unavailable("build.cancelled", "the build was cancelled");
    if (down_) return unreachable().error;
    if (hold_builds_) return invalid("build.timeout", "the build took too long");
  }
  for (const auto& line : output) {
    if (on_line) on_line(line);
  }
  if (failing) {
    auto error = invalid("build.failed", failing->empty() ? "the build failed" : failing->back());
    error.last_logs = *failing;
    return error;
  }
  const std::lock_guard lock{mutex_};
  Image image = built_image_;
  image.id.clear();
  image.tags = {spec.tag};
  for (const auto& [key, value] : spec.labels) image.labels[key] = value;
  const Image built = remember(std::move(image));
  if (fault) return fault->error;
  return built;
}

Result<std::optional<Image>> FakeEngine::find_image(const std::string& label) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("find_image", label)) return fault->error;
  for (auto image = images_.rbegin(); image != images_.rend(); ++image) {
    if (carries(image->labels, label)) return std::optional{*image};
  }
  return std::optional<Image>{};
}

Result<std::optional<Image>> FakeEngine::inspect_image(const std::string& reference) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("inspect_image", reference)) return fault->error;
  for (const auto& image : images_) {
    if (image.id == reference || std::ranges::find(image.tags, reference) != image.tags.end())
      return std::optional{image};
  }
  return std::optional<Image>{};
}

Status FakeEngine::load_image(const std::string& archive_path) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("load_image", archive_path)) return fault->error;
  std::ifstream file{archive_path};
  if (!file) return not_found("engine.archive", "no such file: " + archive_path);
  Image image;
  const auto header = first_line(archive_path);
  if (header.starts_with("fake-image ")) {
    std::istringstream words{header.substr(11)};
    std::string word;
    words >> image.id;
    while (words >> word) {
      if (const auto equals = word.find('='); equals != std::string::npos) {
        image.labels[word.substr(0, equals)] = word.substr(equals + 1);
      } else {
        image.tags.push_back(word);
      }
    }
  }
  remember(std::move(image));
  return {};
}

Status FakeEngine::save_image(const std::string& reference, const std::string& archive_path) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("save_image", reference)) return fault->error;
  for (const auto& image : images_) {
    if (image.id != reference && std::ranges::find(image.tags, reference) == image.tags.end()) continue;
    std::ofstream file{archive_path};
    file << "fake-image " << image.id;
    for (const auto& tag : image.tags) file << ' ' << tag;
    for (const auto& [key, value] : image.labels) file << ' ' << key << '=' << value;
    file << '\n';
    return {};
  }
  return not_found("engine.not_found", "no such image: " + reference);
}

Result<std::string> FakeEngine::create(const ContainerSpec& spec) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("create", spec.name);
  if (fault && !fault->takes_effect) return fault->error;
  const auto image = std::ranges::find_if(images_, [&](const Image& one) {
    return one.id == spec.image || std::ranges::find(one.tags, spec.image) != one.tags.end();
  });
  if (image == images_.end()) return not_found("engine.image_missing", "no such image: " + spec.image);
  if (const auto* other = find(spec.name))
    return conflict("engine.name_taken",
                    fmt::format("the name {} is used by {}", spec.name, other->container.id));
  auto held = std::make_shared<Held>();
  held->spec = spec;
  if (script_) held->script = script_(spec);
  auto& container = held->container;
  container.id = sha256_hex(fmt::format("container {}", next_++));
  container.name = spec.name;
  container.image = spec.image;
  container.image_id = image->id;
  container.labels = image->labels;
  for (const auto& [key, value] : spec.labels) container.labels[key] = value;
  container.state = "created";
  container.health = spec.health.test.empty() ? "none" : "starting";
  container.restart = spec.restart;
  container.limits = {spec.memory, std::llround(spec.cpus * 1e9), spec.pids};
  for (const auto& mount : spec.mounts) {
    if (mount.kind == ports::Mount::Kind::kVolume && !mount.source.empty())
      volumes_.try_emplace(mount.source, mount.labels);
  }
  containers_.push_back(held);
  emit(*held, "create");
  if (fault) return fault->error;
  return container.id;
}

Status FakeEngine::start(const std::string& id) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("start", name_of(id));
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  if (!held->container.running) {
    if (!held->script.start_error.empty()) {
      held->container.error = held->script.start_error;
      held->container.exit_code = 127;
      return invalid("engine.start_failed", held->script.start_error);
    }
    held->container.restart_count = 0;
    begin(*held);
  }
  if (fault) return fault->error;
  return {};
}

Status FakeEngine::stop(const std::string& id, std::chrono::seconds) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("stop", name_of(id));
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  if (held->container.running) {
    auto& container = held->container;
    container.running = false;
    container.state = "exited";
    container.exit_code = 143;
    container.finished_at = stamp();
    container.ports.clear();
    emit(*held, "kill");
    emit(*held, "die", 143);
    emit(*held, "stop");
  } else if (held->container.state == "restarting") {
    held->container.state = "exited";
  }
  if (fault) return fault->error;
  return {};
}

Status FakeEngine::remove(const std::string& id, bool force) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("remove", name_of(id));
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return {};
  if (held->container.running && !force)
    return conflict("engine.conflict", "the container " + held->container.name + " is running");
  if (held->container.running) {
    held->container.running = false;
    emit(*held, "die", 137);
  }
  emit(*held, "destroy");
  std::erase_if(containers_, [held](const auto& one) { return one.get() == held; });
  if (fault) return fault->error;
  return {};
}

Status FakeEngine::set_restart_policy(const std::string& id, const std::string& policy) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("set_restart_policy", name_of(id) + " " + policy);
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  held->container.restart = policy;
  if (fault) return fault->error;
  return {};
}

Status FakeEngine::set_limits(const std::string& id, const ports::Limits& limits) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("set_limits", name_of(id));
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  held->container.limits = limits;
  if (fault) return fault->error;
  return {};
}

Status FakeEngine::unpause(const std::string& id) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("unpause", name_of(id));
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  if (held->container.state == "paused") held->container.state = "running";
  if (fault) return fault->error;
  return {};
}

Result<std::optional<Container>> FakeEngine::inspect(const std::string& id_or_name) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("inspect", name_of(id_or_name))) return fault->error;
  const auto* held = find(id_or_name);
  if (held == nullptr) return std::optional<Container>{};
  return std::optional{held->container};
}

Result<std::vector<Container>> FakeEngine::list(const std::vector<std::string>& labels) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("list", "")) return fault->error;
  std::vector<Container> found;
  for (const auto& held : containers_) {
    const auto& container = held->container;
    if (std::ranges::all_of(labels, [&](const auto& label) { return carries(container.labels, label); }))
      found.push_back(container);
  }
  return found;
}

Result<std::vector<std::string>> FakeEngine::last_logs(const std::string& id, std::size_t tail) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("last_logs", name_of(id))) return fault->error;
  const auto* held = find(id);
  if (held == nullptr) return no_container(id);
  const auto& logs = held->logs;
  const auto from = logs.size() - std::min(tail, logs.size());
  return std::vector<std::string>(logs.begin() + static_cast<std::ptrdiff_t>(from), logs.end());
}

Status FakeEngine::follow_logs(const std::string& id, const ports::LogOptions& options,
                               const ports::LineHandler& on_line, const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  if (const auto fault = enter("follow_logs", name_of(id))) return fault->error;
  std::shared_ptr<Held> held;
  for (const auto& one : containers_) {
    if (one->container.id == id || one->container.name == id) held = one;
  }
  if (!held) return no_container(id);
  std::size_t at = held->logs.size() - std::min(options.tail, held->logs.size());
  while (true) {
    while (at < held->logs.size()) {
      const auto line = held->logs[at++];
      lock.unlock();
      on_line(line);
      lock.lock();
    }
    if (!options.follow || !held->container.running || stop.stop_requested()) return {};
    if (down_) return unreachable().error;
    changed_.wait(lock, stop, [&] { return at < held->logs.size() || !held->container.running || down_; });
  }
}

Status FakeEngine::put_archive(const std::string& id, const std::string& folder, const std::string& tar) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("put_archive", name_of(id) + " " + folder);
  if (fault && !fault->takes_effect) return fault->error;
  auto* held = find(id);
  if (held == nullptr) return no_container(id);
  const std::string prefix = folder.ends_with('/') ? folder : folder + "/";
  for (const auto& [path, content] : read_tar(tar)) held->files[prefix + path] = content;
  if (fault) return fault->error;
  return {};
}

Result<std::string> FakeEngine::get_archive(const std::string& id, const std::string& path) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("get_archive", name_of(id) + " " + path)) return fault->error;
  const auto* held = find(id);
  if (held == nullptr) return no_container(id);
  const auto parent = path.substr(0, path.rfind('/') + 1);
  std::map<std::string, std::string> files;
  for (const auto& [name, content] : held->files) {
    if (name == path || name.starts_with(path + "/")) files[name.substr(parent.size())] = content;
  }
  if (files.empty()) return not_found("engine.not_found", "no such file: " + path);
  return make_tar(files);
}

Result<ports::ExecResult> FakeEngine::exec(const std::string& id, const ports::ExecSpec& spec,
                                           const std::stop_token& stop) {
  std::function<ports::ExecResult(const ports::ExecSpec&)> answer;
  std::shared_ptr<Held> held;
  {
    std::unique_lock lock{mutex_};
    if (const auto fault = enter("exec", name_of(id))) return fault->error;
    for (const auto& one : containers_) {
      if (one->container.id == id || one->container.name == id) held = one;
    }
    if (!held) return no_container(id);
    const auto gone = [&] { return !held->container.running; };
    const auto not_running = conflict("engine.not_running", "the container is not running");
    if (gone()) return not_running;
    if (held->script.execs_wait) {
      const auto release = exec_release_;
      const bool woken = changed_.wait_for(lock, stop, spec.deadline,
                                           [&] { return gone() || down_ || exec_release_ != release; });
      if (gone()) return not_running;
      if (down_) return unreachable().error;
      if (stop.stop_requested()) return unavailable("engine.cancelled", "the exec was given up");
      if (!woken) return lost_answer(false).error;
    }
    answer = held->script.exec;
  }
  const auto result = answer ? answer(spec) : ports::ExecResult{};
  if (spec.on_line) {
    std::istringstream lines{result.output};
    for (std::string line; std::getline(lines, line);) spec.on_line(line);
  }
  const std::lock_guard lock{mutex_};
  if (held->script.dies_after_exec && !held->exec_answered && held->container.running) {
    held->exec_answered = true;
    end(*held, *held->script.dies_after_exec, held->script.oom);
  }
  return result;
}

Status FakeEngine::create_volume(const std::string& name, const std::map<std::string, std::string>& labels) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("create_volume", name);
  if (fault && !fault->takes_effect) return fault->error;
  volumes_.try_emplace(name, labels);
  if (fault) return fault->error;
  return {};
}

Result<bool> FakeEngine::has_volume(const std::string& name) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("has_volume", name)) return fault->error;
  return volumes_.contains(name);
}

Status FakeEngine::remove_volume(const std::string& name) {
  const std::lock_guard lock{mutex_};
  const auto fault = enter("remove_volume", name);
  if (fault && !fault->takes_effect) return fault->error;
  volumes_.erase(name);
  if (fault) return fault->error;
  return {};
}

Result<std::vector<ports::Volume>> FakeEngine::list_volumes(const std::vector<std::string>& labels) {
  const std::lock_guard lock{mutex_};
  if (const auto fault = enter("list_volumes", "")) return fault->error;
  std::vector<ports::Volume> found;
  for (const auto& [name, carried] : volumes_)
    if (std::ranges::all_of(labels, [&](const auto& label) { return carries(carried, label); }))
      found.push_back({name, carried});
  return found;
}

Status FakeEngine::watch(const std::string& label, const std::function<void()>& on_ready,
                         const std::function<void(const ports::EngineEvent&)>& on_event,
                         const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  if (const auto fault = enter("watch", label)) return fault->error;
  std::size_t at = events_.size();
  ++watchers_;
  lock.unlock();
  if (on_ready) on_ready();
  lock.lock();
  while (!stop.stop_requested() && !down_) {
    while (at < events_.size()) {
      const auto event = events_[at++];
      if (!carries(event.labels, label)) continue;
      lock.unlock();
      on_event(event);
      lock.lock();
    }
    changed_.wait(lock, stop, [&] { return at < events_.size() || down_; });
  }
  --watchers_;
  if (stop.stop_requested()) return {};
  return unavailable("engine.watch_broken", "the event stream ended");
}

FakeEngine& FakeEngines::at(const std::string& endpoint) {
  const std::lock_guard lock{mutex_};
  auto& engine = engines_[endpoint];
  if (!engine) engine = std::make_shared<FakeEngine>(clock_);
  return *engine;
}

Result<std::shared_ptr<ports::Engine>> FakeEngines::open(const std::string& endpoint, const std::string&) {
  const std::lock_guard lock{mutex_};
  const auto found = engines_.find(endpoint);
  if (found == engines_.end()) return invalid("machine.url", "not an allowed endpoint: " + endpoint);
  return std::shared_ptr<ports::Engine>{found->second};
}

}  // namespace slipway::fakes
