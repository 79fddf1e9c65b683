#include "systems/machine_agent/probes/container.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

// Each network namespace has a net/dev of its own, and so an inode number of its own; unlike ns/net, anybody
// may look at it.
std::uint64_t network_of(const std::filesystem::path& net_dev) {
  struct stat found{};
  return ::stat(net_dev.c_str(), &found) == 0 ? found.st_ino : 0;
}

}  // namespace

struct ContainerProbe::Folder {
  explicit Folder(DIR* opened) : stream(opened) {}
  Folder(const Folder&) = delete;  // owns the stream
  Folder& operator=(const Folder&) = delete;
  ~Folder() { ::closedir(stream); }
  DIR* stream;
};

struct ContainerProbe::Container {
  std::string folder, id;
  ContainerFiles files;
  std::uint64_t seen = 0;  // the call that met its folder last
  std::optional<ContainerCounters> last{};
  std::optional<InterfaceCounters> last_network{};
  std::uint64_t process = 0;
  std::filesystem::path net_dev{};  // empty: the host's network
};

Result<ContainerProbe> ContainerProbe::create(const std::filesystem::path& root) {
  SLIPWAY_ASSIGN(auto place, find_cgroup_place(root));
  DIR* stream = ::opendir(place.cpuacct.c_str());
  if (stream == nullptr)
    return not_found("agent.cgroup_folder",
                     fmt::format("open {}: {}", place.cpuacct.native(), std::strerror(errno)),
                     "mount /sys/fs/cgroup of the machine into the agent's container");
  return ContainerProbe{root, std::move(place), std::make_unique<Folder>(stream)};
}

ContainerProbe::ContainerProbe(std::filesystem::path root, CgroupPlace place, std::unique_ptr<Folder> folder)
    : root_(std::move(root)),
      place_(std::move(place)),
      folder_(std::move(folder)),
      host_network_(network_of(root_ / "proc/self/net/dev")) {}

ContainerProbe::ContainerProbe(ContainerProbe&&) noexcept = default;
ContainerProbe& ContainerProbe::operator=(ContainerProbe&&) noexcept = default;
ContainerProbe::~ContainerProbe() = default;

Result<std::vector<ContainerUse>*> ContainerProbe::step(std::chrono::nanoseconds elapsed,
                                                        std::string& buffer) {
  ++calls_;
  SLIPWAY_TRY(find_containers());
  uses_.clear();
  std::erase_if(containers_, [&](const auto& container) {
    return container->seen != calls_ || !measure(*container, elapsed, buffer);
  });
  return &uses_;
}

Status ContainerProbe::find_containers() {
  ::rewinddir(folder_->stream);
  errno = 0;
  while (const auto* entry = ::readdir(folder_->stream)) {
    const std::string_view name = entry->d_name;
    const auto id = find_container_id(name);
    if (id.empty()) continue;
    const auto known =
        std::ranges::find_if(containers_, [&](const auto& one) { return one->folder == name; });
    if (known != containers_.end()) {
      (*known)->seen = calls_;
      continue;
    }
    std::string folder{name};
    ContainerFiles files{place_, folder};
    containers_.push_back(std::make_unique<Container>(Container{
        .folder = std::move(folder), .id = std::string{id}, .files = std::move(files), .seen = calls_}));
  }
  if (errno != 0)
    return unavailable("probe.failed",
                       fmt::format("list {}: {}", place_.cpuacct.native(), std::strerror(errno)));
  return {};
}

bool ContainerProbe::measure(Container& container, std::chrono::nanoseconds elapsed, std::string& buffer) {
  const auto now = container.files.read(buffer);
  if (!now) return false;  // it ended between the listing and now
  const auto network = read_network(container, buffer);
  const double ns = static_cast<double>(elapsed.count());
  if (container.last && ns > 0) {
    ContainerUse use;
    use.id = container.id;
    use.cpu = 100.0 * growth(container.last->cpu_ns, now->cpu_ns) / ns;
    use.throttled = std::min(100.0, 100.0 * growth(container.last->throttled_ns, now->throttled_ns) / ns);
    use.memory = now->memory;
    use.memory_limit = now->memory_limit;
    use.pids = now->pids;
    if (network && container.last_network) {
      use.rx_bps = 1e9 * growth(container.last_network->rx, network->rx) / ns;
      use.tx_bps = 1e9 * growth(container.last_network->tx, network->tx) / ns;
    }
    uses_.push_back(std::move(use));
  }
  container.last = *now;
  container.last_network = network;
  return true;
}

std::optional<InterfaceCounters> ContainerProbe::read_network(Container& container,
                                                              std::string& buffer) const {
  const auto process = container.files.find_process(buffer);
  if (!process) return std::nullopt;
  if (*process != container.process) {
    container.process = *process;
    container.net_dev = root_ / "proc" / fmt::to_string(*process) / "net/dev";
    if (network_of(container.net_dev) == host_network_) container.net_dev.clear();
  }
  if (container.net_dev.empty()) return std::nullopt;
  // Opened anew each time: an open net/dev would keep the network of a container that ended.
  const auto text = KeptFile{container.net_dev}.read(buffer);
  if (!text) return std::nullopt;
  InterfaceCounters sum;
  Scan lines{*text};
  while (const auto line = lines.line()) {
    std::string_view name;
    const auto counters = parse_interface_line(*line, name);
    if (!counters || name == "lo") continue;
    sum.rx += counters->rx;
    sum.tx += counters->tx;
  }
  return sum;
}

}  // namespace slipway::machine_agent
