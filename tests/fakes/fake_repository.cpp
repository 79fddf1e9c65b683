#include "tests/fakes/fake_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <mutex>

#include "ports/stores/collections.hpp"

namespace slipway::fakes {
namespace {

using namespace ports;

// The state that all stores share: one lock, and what is to go wrong.
class Trouble {
 public:
  mutable std::mutex mutex;

  void fail_next(const Error& error, int times, const std::string& collection) {
    for (int i = 0; i < times; ++i) failures_.push_back({collection, error});
  }
  void stop_failing() { failures_.clear(); }
  void lose_answers(int times, const std::string& collection) {
    for (int i = 0; i < times; ++i) lost_.push_back(collection);
  }

  // With `mutex` held, before anything else.
  Status enter(const std::string& collection) {
    if (down) {
      ++refused;
      return unavailable("repository.unavailable", "the fake Repository is down");
    }
    const auto planned = std::find_if(failures_.begin(), failures_.end(), [&](const auto& failure) {
      return failure.first.empty() || failure.first == collection;
    });
    if (planned == failures_.end()) return {};
    Error error = planned->second;
    failures_.erase(planned);
    ++refused;
    return error;
  }
  // With `mutex` held, after a write had its effect.
  Status leave(const std::string& collection) {
    ++writes;
    const auto lost = std::find_if(lost_.begin(), lost_.end(),
                                   [&](const auto& name) { return name.empty() || name == collection; });
    if (lost == lost_.end()) return {};
    lost_.erase(lost);
    return Error{ErrorKind::kUnknown, "repository.unknown",
                 "writing to " + collection + ": the answer was lost"};
  }

  bool down = false;
  int writes = 0;
  int refused = 0;

 private:
  std::list<std::pair<std::string, Error>> failures_;
  std::list<std::string> lost_;
};

// Each store's calls run under the one lock, between enter and leave.
class Store {
 public:
  Store(Trouble& trouble, std::string collection) : trouble_(trouble), collection_(std::move(collection)) {}

 protected:
  template <class Read>
  auto read(Read body) -> Result<decltype(body())> {
    std::lock_guard lock(trouble_.mutex);
    SLIPWAY_TRY(trouble_.enter(collection_));
    return body();
  }
  template <class Write>
  auto write(Write body) -> Result<decltype(body())> {
    std::lock_guard lock(trouble_.mutex);
    SLIPWAY_TRY(trouble_.enter(collection_));
    auto value = body();
    SLIPWAY_TRY(trouble_.leave(collection_));
    return value;
  }
  template <class Write>
  Status change(Write body) {
    std::lock_guard lock(trouble_.mutex);
    SLIPWAY_TRY(trouble_.enter(collection_));
    body();
    return trouble_.leave(collection_);
  }

  Trouble& trouble_;
  const std::string collection_;
};

template <class T>
class FakeTable final : public Table<T>, Store {
 public:
  using Store::Store;

  Result<std::optional<T>> find(const std::string& id) override {
    return read([&]() -> std::optional<T> {
      const auto found = documents_.find(id);
      if (found == documents_.end()) return std::nullopt;
      return found->second;
    });
  }
  Result<std::vector<T>> all() override {
    return read([&] {
      std::vector<T> found;
      for (const auto& [id, document] : documents_) found.push_back(document);
      return found;
    });
  }
  Result<std::vector<T>> where(std::string_view field, const std::string& value, std::size_t most) override {
    const auto fields = indexed_fields<T>();
    const auto wanted = std::find_if(fields.begin(), fields.end(),
                                     [&](const auto& indexed) { return indexed.first == field; });
    if (wanted == fields.end()) return no_such_index(this->collection_, field);
    return read([&] {
      std::vector<T> found;
      for (auto i = documents_.rbegin(); i != documents_.rend() && found.size() < most; ++i)
        if (i->second.*(wanted->second) == value) found.push_back(i->second);
      return found;
    });
  }
  Status put(const T& document) override {
    return change([&] { documents_.insert_or_assign(document.id(), document); });
  }
  Result<bool> insert(const T& document) override {
    return write([&] { return documents_.emplace(document.id(), document).second; });
  }
  Status remove(const std::string& id) override {
    return change([&] { documents_.erase(id); });
  }

 private:
  std::map<std::string, T> documents_;
};

class FakeLanes final : public LaneStore, Store {
 public:
  using Store::Store;

  Result<std::optional<Lane>> find(const std::string& service_id) override {
    return read([&]() -> std::optional<Lane> {
      const auto found = lanes_.find(service_id);
      if (found == lanes_.end()) return std::nullopt;
      return found->second;
    });
  }
  Result<std::vector<Lane>> all() override {
    return read([&] {
      std::vector<Lane> found;
      for (const auto& [id, lane] : lanes_) found.push_back(lane);
      return found;
    });
  }
  Result<Lane> enqueue(const std::string& service_id, const std::string& request_id) override {
    return write([&] {
      Lane& lane = lanes_[service_id];
      lane.service_id = service_id;
      if (lane.active != request_id && std::ranges::find(lane.queue, request_id) == lane.queue.end()) {
        lane.queue.push_back(request_id);
        ++lane.last_accepted;
      }
      return lane;
    });
  }
  Result<std::optional<Lane>> take(const std::string& service_id, const std::string& request_id,
                                   const std::string& owner) override {
    return write([&]() -> std::optional<Lane> {
      Lane* lane = at(service_id);
      if (!lane || lane->active || lane->queue.empty() || lane->queue.front() != request_id)
        return std::nullopt;
      lane->active = request_id;
      lane->queue.erase(lane->queue.begin());
      lane->cancel.reset();
      lane->cut_over.reset();
      return own(*lane, owner);
    });
  }
  Result<std::optional<Lane>> take_over(const Lane& seen, const std::string& owner) override {
    return write([&]() -> std::optional<Lane> {
      Lane* lane = at(seen.service_id);
      if (!lane || !lane->active || lane->active != seen.active || lane->epoch != seen.epoch ||
          lane->lease != seen.lease)
        return std::nullopt;
      return own(*lane, owner);
    });
  }
  Result<bool> renew(const std::string& service_id, const std::string& request_id,
                     std::int64_t epoch) override {
    return if_mine(service_id, request_id, epoch, [](Lane& lane) { return ++lane.lease, true; });
  }
  Result<bool> cancel(const std::string& service_id, const std::string& request_id) override {
    return write([&] {
      Lane* lane = at(service_id);
      if (!lane || lane->active != request_id || lane->cut_over) return false;
      lane->cancel = request_id;
      return true;
    });
  }
  Result<bool> unqueue(const std::string& service_id, const std::string& request_id) override {
    return write([&] {
      Lane* lane = at(service_id);
      return lane && std::erase(lane->queue, request_id) > 0;
    });
  }
  Result<std::optional<std::int64_t>> take_release(const std::string& service_id,
                                                   const std::string& request_id,
                                                   std::int64_t epoch) override {
    return write([&]() -> std::optional<std::int64_t> {
      Lane* lane = at(service_id);
      if (!lane || lane->active != request_id || lane->epoch != epoch) return std::nullopt;
      if (lane->last_release_for != request_id) ++lane->last_release;
      lane->last_release_for = request_id;
      return lane->last_release;
    });
  }
  Result<bool> cut_over(const std::string& service_id, const std::string& request_id, std::int64_t epoch,
                        const Cutover& cutover) override {
    return if_mine(service_id, request_id, epoch, [&](Lane& lane) {
      if (lane.cancel) return false;
      if (lane.cut_over) return true;
      lane.cut_over = request_id;
      if (cutover.committed) lane.committed = cutover.committed;
      if (cutover.previous) lane.previous = cutover.previous;
      lane.wanted = cutover.wanted;
      lane.machines = cutover.machines;
      return true;
    });
  }
  Result<bool> complete(const std::string& service_id, std::int64_t release) override {
    return write([&] {
      Lane* lane = at(service_id);
      if (!lane || lane->committed != release || lane->wanted != Wanted::kRunning) return false;
      lane->wanted = Wanted::kCompleted;
      return true;
    });
  }
  Result<bool> release_lane(const std::string& service_id, const std::string& request_id,
                            std::int64_t epoch) override {
    return if_mine(service_id, request_id, epoch, [](Lane& lane) {
      lane.active.reset();
      lane.cancel.reset();
      lane.cut_over.reset();
      lane.owner.clear();
      return true;
    });
  }

 private:
  static Lane own(Lane& lane, const std::string& owner) {
    lane.owner = owner;
    ++lane.epoch;
    ++lane.lease;
    return lane;
  }
  Lane* at(const std::string& service_id) {
    const auto found = lanes_.find(service_id);
    return found == lanes_.end() ? nullptr : &found->second;
  }
  template <class Body>
  Result<bool> if_mine(const std::string& service_id, const std::string& request_id, std::int64_t epoch,
                       Body body) {
    return write([&] {
      Lane* lane = at(service_id);
      return lane && lane->active == request_id && lane->epoch == epoch && body(*lane);
    });
  }

  std::map<std::string, Lane> lanes_;
};

class FakeDeployments final : public DeploymentStore, Store {
 public:
  using Store::Store;

  Result<bool> insert(const Deployment& deployment) override {
    return write([&] {
      const bool is_new = documents_.emplace(deployment.request_id, deployment).second;
      if (is_new) order_.push_back(deployment.request_id);
      return is_new;
    });
  }
  Result<std::optional<Deployment>> find(const std::string& request_id) override {
    return read([&]() -> std::optional<Deployment> {
      const auto found = documents_.find(request_id);
      if (found == documents_.end()) return std::nullopt;
      return found->second;
    });
  }
  Result<std::vector<Deployment>> open() override {
    return read([&] { return oldest_first([](const Deployment& d) { return d.open; }); });
  }
  Result<std::vector<Deployment>> unpublished() override {
    return read([&] { return oldest_first([](const Deployment& d) { return d.unpublished; }); });
  }
  Result<std::vector<Deployment>> latest(const std::string& service_id, std::size_t most) override {
    return read([&] {
      auto found =
          oldest_first([&](const Deployment& d) { return service_id.empty() || d.service_id == service_id; });
      std::ranges::reverse(found);
      if (found.size() > most) found.resize(most);
      return found;
    });
  }
  Result<bool> append(const std::string& request_id, std::int64_t epoch,
                      const messages::DeploymentStatus& status) override {
    return write([&] {
      Deployment* deployment = writable(request_id, epoch);
      if (!deployment || static_cast<std::int64_t>(deployment->stages.size()) != status.seq - 1) return false;
      deployment->stages.push_back(status);
      deployment->epoch = epoch;
      deployment->unpublished = true;
      if (status.final) {
        deployment->end = status.state;
        deployment->open = false;
      }
      return true;
    });
  }
  Result<bool> set_facts(const std::string& request_id, std::int64_t epoch,
                         const std::map<std::string, std::string>& facts) override {
    return write([&] {
      Deployment* deployment = writable(request_id, epoch);
      if (!deployment) return false;
      for (const auto& [name, value] : facts) deployment->facts[name] = value;
      deployment->epoch = epoch;
      return true;
    });
  }
  Status mark_published(const std::string& request_id, std::int64_t count) override {
    return change([&] {
      const auto found = documents_.find(request_id);
      if (found == documents_.end()) return;
      Deployment& deployment = found->second;
      deployment.published = std::max(deployment.published, count);
      if (deployment.end && deployment.published >= static_cast<std::int64_t>(deployment.stages.size()))
        deployment.unpublished = false;
    });
  }

 private:
  Deployment* writable(const std::string& request_id, std::int64_t epoch) {
    const auto found = documents_.find(request_id);
    return found == documents_.end() || found->second.epoch > epoch ? nullptr : &found->second;
  }
  template <class Wanted>
  std::vector<Deployment> oldest_first(Wanted wanted) {
    std::vector<Deployment> found;
    for (const auto& id : order_)
      if (const Deployment& deployment = documents_.at(id); wanted(deployment)) found.push_back(deployment);
    std::ranges::stable_sort(found, {}, &Deployment::created_at);
    return found;
  }

  std::map<std::string, Deployment> documents_;
  std::vector<std::string> order_;
};

class FakeLeases final : public LeaseStore, Store {
 public:
  using Store::Store;

  Result<std::optional<Lease>> find(const std::string& name) override {
    return read([&]() -> std::optional<Lease> {
      const auto found = leases_.find(name);
      if (found == leases_.end()) return std::nullopt;
      return found->second;
    });
  }
  Result<std::optional<Lease>> take(const std::string& name, const std::string& holder,
                                    const std::optional<Lease>& seen) override {
    return write([&]() -> std::optional<Lease> {
      const auto found = leases_.find(name);
      if (found == leases_.end())
        return seen ? std::nullopt : std::optional(leases_[name] = Lease{name, holder, 1, 0});
      Lease& lease = found->second;
      if (!seen || lease.holder != seen->holder || lease.epoch != seen->epoch || lease.beat != seen->beat)
        return std::nullopt;
      lease = Lease{name, holder, lease.epoch + 1, lease.beat + 1};
      return lease;
    });
  }
  Result<bool> renew(const Lease& mine) override {
    return write([&] { return if_mine(mine, [](Lease& lease) { ++lease.beat; }); });
  }
  Status give_back(const Lease& mine) override {
    return change([&] { if_mine(mine, [](Lease& lease) { lease.holder.clear(); }); });
  }

 private:
  template <class Body>
  bool if_mine(const Lease& mine, Body body) {
    const auto found = leases_.find(mine.name);
    if (found == leases_.end() || found->second.holder != mine.holder || found->second.epoch != mine.epoch)
      return false;
    body(found->second);
    return true;
  }
  std::map<std::string, Lease> leases_;
};

class FakeSamples final : public SampleStore, Store {
 public:
  using Store::Store;

  Result<std::vector<std::string>> write(const std::vector<MinuteDocument>& minutes) override {
    return Store::write([&] {
      std::vector<std::string> refused;
      for (const auto& minute : minutes) {
        const auto found = documents_.find(minute.id());
        if (found != documents_.end() && reaches_further(found->second.reach, minute.reach))
          refused.push_back(minute.id());
        else
          documents_.insert_or_assign(minute.id(), minute);
      }
      return refused;
    });
  }
  Result<std::optional<MinuteDocument>> load(const std::string& machine, const std::string& container_id,
                                             std::int64_t minute) override {
    return read([&]() -> std::optional<MinuteDocument> {
      const auto found = documents_.find(minute_id(machine, container_id, minute));
      if (found == documents_.end()) return std::nullopt;
      return without_plain(found->second);
    });
  }
  Result<std::vector<MinuteDocument>> plain(const std::string& machine, const std::string& container_id,
                                            WallTime from, WallTime to) override {
    return read([&] {
      auto found = between(machine, container_id, from, to);
      for (auto& document : found) document.columns.clear();
      return found;
    });
  }
  Result<std::vector<MinuteDocument>> columns(const std::string& machine, const std::string& container_id,
                                              WallTime from, WallTime to) override {
    return read([&] {
      auto found = between(machine, container_id, from, to);
      for (auto& document : found) document = without_plain(document);
      return found;
    });
  }
  Result<std::vector<MinuteDocument>> containers(const std::string& machine, WallTime from,
                                                 WallTime to) override {
    return read([&] {
      std::map<std::string, MinuteDocument> newest;
      for (const auto& [id, document] : documents_)
        if (document.machine == machine && !document.container_id.empty() && document.minute >= to_ms(from) &&
            document.minute < to_ms(to)) {
          auto& kept = newest[document.container_id];
          if (kept.container_id.empty() || kept.minute < document.minute) kept = document;
        }
      std::vector<MinuteDocument> found;
      for (auto& [id, document] : newest) {
        document.columns.clear();
        found.push_back(std::move(document));
      }
      return found;
    });
  }

 private:
  static bool reaches_further(const Reach& stored, const Reach& mine) {
    return stored.cluster_id == mine.cluster_id && stored.partition == mine.partition &&
           stored.through_offset > mine.through_offset;
  }
  static MinuteDocument without_plain(MinuteDocument document) {
    document.plain.clear();
    return document;
  }
  std::vector<MinuteDocument> between(const std::string& machine, const std::string& container_id,
                                      WallTime from, WallTime to) {
    std::vector<MinuteDocument> found;
    for (const auto& [id, document] : documents_)
      if (document.machine == machine && document.container_id == container_id &&
          document.minute >= to_ms(from) && document.minute < to_ms(to))
        found.push_back(document);
    std::ranges::sort(found, {}, &MinuteDocument::minute);
    return found;
  }
  std::map<std::string, MinuteDocument> documents_;
};

class FakeReader final : public SourceReader {
 public:
  explicit FakeReader(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min(buffer.size(), bytes_.size() - at_);
    std::memcpy(buffer.data(), bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
};

class FakeSources final : public SourceStore, Store {
 public:
  FakeSources(Trouble& trouble, std::string collection, Clock& clock)
      : Store(trouble, std::move(collection)), clock_(clock) {}

  Result<std::vector<SourceFile>> find(const std::string& path) override {
    return read([&] {
      std::vector<SourceFile> found;
      for (auto i = files_.rbegin(); i != files_.rend(); ++i)
        if (i->first.path == path) found.push_back(i->first);
      return found;
    });
  }
  Result<std::unique_ptr<SourceReader>> open(const std::string& file_id) override {
    std::lock_guard lock(trouble_.mutex);
    SLIPWAY_TRY(trouble_.enter(collection_));
    for (const auto& [file, bytes] : files_)
      if (file.file_id == file_id) return std::make_unique<FakeReader>(bytes);
    return not_found("source.not_found", "there is no source archive with the id " + file_id);
  }
  Result<SourceFile> put(const std::string& path, std::string_view bytes) override {
    return write([&] {
      const SourceFile file{fmt::format("{:024x}", files_.size() + 1), path,
                            static_cast<std::int64_t>(bytes.size()), clock_.now()};
      files_.emplace_back(file, bytes);
      return file;
    });
  }

 private:
  Clock& clock_;
  std::vector<std::pair<SourceFile, std::string>> files_;
};

}  // namespace

struct FakeRepository::World {
  explicit World(Clock* given) : clock(given ? *given : still) {}

  ManualClock still;
  Clock& clock;
  Trouble trouble;
  FakeLanes lanes{trouble, "lanes"};
  FakeDeployments deployments{trouble, "deployments"};
  FakeTable<Release> releases{trouble, "releases"};
  FakeTable<Instance> instances{trouble, "instances"};
  FakeTable<Failure> failures{trouble, "failures"};
  FakeTable<Service> services{trouble, "services"};
  FakeTable<ServiceHistory> service_history{trouble, "service_history"};
  FakeTable<SensorDocument> sensors{trouble, "sensors"};
  FakeTable<Binding> bindings{trouble, "bindings"};
  FakeTable<MachineDocument> machines{trouble, "machines"};
  FakeTable<Placement> placements{trouble, "placements"};
  FakeTable<Secret> secrets{trouble, "secrets"};
  FakeTable<TopicDocument> topics{trouble, "topics"};
  FakeTable<Attempts> attempts{trouble, "attempts"};
  std::map<std::string, FakeTable<Answer>> answers;
  FakeLeases leases{trouble, "leases"};
  FakeSamples samples{trouble, "samples"};
  FakeSources sources{trouble, "sources", clock};
};

FakeRepository::FakeRepository() : world_(std::make_unique<World>(nullptr)) {}
FakeRepository::FakeRepository(Clock& clock) : world_(std::make_unique<World>(&clock)) {}
FakeRepository::~FakeRepository() = default;

LaneStore& FakeRepository::lanes() {
  return world_->lanes;
}
DeploymentStore& FakeRepository::deployments() {
  return world_->deployments;
}
Table<Release>& FakeRepository::releases() {
  return world_->releases;
}
Table<Instance>& FakeRepository::instances() {
  return world_->instances;
}
Table<Failure>& FakeRepository::failures() {
  return world_->failures;
}
Table<Service>& FakeRepository::services() {
  return world_->services;
}
Table<ServiceHistory>& FakeRepository::service_history() {
  return world_->service_history;
}
Table<SensorDocument>& FakeRepository::sensors() {
  return world_->sensors;
}
Table<Binding>& FakeRepository::bindings() {
  return world_->bindings;
}
Table<MachineDocument>& FakeRepository::machines() {
  return world_->machines;
}
Table<Placement>& FakeRepository::placements() {
  return world_->placements;
}
Table<Secret>& FakeRepository::secrets() {
  return world_->secrets;
}
Table<TopicDocument>& FakeRepository::topics() {
  return world_->topics;
}
Table<Attempts>& FakeRepository::attempts() {
  return world_->attempts;
}
Table<Answer>& FakeRepository::answers(const std::string& role) {
  std::lock_guard lock(world_->trouble.mutex);
  return world_->answers.try_emplace(role, world_->trouble, role + "_answers").first->second;
}
LeaseStore& FakeRepository::leases() {
  return world_->leases;
}
SampleStore& FakeRepository::samples() {
  return world_->samples;
}
SourceStore& FakeRepository::sources() {
  return world_->sources;
}

Status FakeRepository::ping(milliseconds) {
  std::lock_guard lock(world_->trouble.mutex);
  return world_->trouble.enter("ping");
}

void FakeRepository::fail_next(const Error& error, int times, const std::string& collection) {
  std::lock_guard lock(world_->trouble.mutex);
  world_->trouble.fail_next(error, times, collection);
}
void FakeRepository::stop_failing() {
  std::lock_guard lock(world_->trouble.mutex);
  world_->trouble.stop_failing();
}
void FakeRepository::lose_answers(int times, const std::string& collection) {
  std::lock_guard lock(world_->trouble.mutex);
  world_->trouble.lose_answers(times, collection);
}
void FakeRepository::set_down(bool down) {
  std::lock_guard lock(world_->trouble.mutex);
  world_->trouble.down = down;
}
int FakeRepository::writes() const {
  std::lock_guard lock(world_->trouble.mutex);
  return world_->trouble.writes;
}
int FakeRepository::refused() const {
  std::lock_guard lock(world_->trouble.mutex);
  return world_->trouble.refused;
}

}  // namespace slipway::fakes
