#include "systems/deployment_manager/image_supply.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"

namespace slipway::deployment_manager {
namespace {

// A file below the temporary folder, removed at the end of the scope.
struct TemporaryFile {
  std::filesystem::path path;
  TemporaryFile() : path(image_folder() / fmt::format("{}{}.tar", kImageFilePrefix, make_uuid())) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;  // nothing is left to do about a file that cannot be removed
    std::filesystem::remove(path, ignored);
  }
};

}  // namespace

std::filesystem::path image_folder() {
  return std::filesystem::temp_directory_path();
}

Result<ports::Image> supply_image(World& world, const MachineEngine& machine, const std::string& reference) {
  SLIPWAY_ASSIGN(const auto there, machine.engine->inspect_image(reference));
  if (there) return *there;
  SLIPWAY_ASSIGN(const auto machines, world.repository.machines().all());
  for (const auto& other : machines) {
    if (other.machine.name == machine.machine.name || other.machine.removed) continue;
    const auto engine = world.engines.open(other.machine.docker, other.machine.tls);
    // The Node Manager's check names it; one that hangs is known by its ping in seconds.
    if (!engine || !(*engine)->ping()) continue;
    const auto has = (*engine)->inspect_image(reference);
    if (!has || !*has) continue;
    const TemporaryFile archive;
    SLIPWAY_TRY((*engine)->save_image(reference, archive.path));
    SLIPWAY_TRY(machine.engine->load_image(archive.path));
    SLIPWAY_ASSIGN(const auto loaded, machine.engine->inspect_image(reference));
    if (loaded) return *loaded;
  }
  return not_found(
      "image.missing",
      fmt::format("the image {} is neither on {} nor on any other machine", reference, machine.machine.name),
      fmt::format("load it there: docker pull {} (or docker load)", reference));
}

}  // namespace slipway::deployment_manager
