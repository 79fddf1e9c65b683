#pragma once

#include <filesystem>
#include <string>

#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Makes sure that `reference` is on the machine's engine: there already, or saved from another registered
/// machine's engine that has it, and loaded. No registry is asked. image.missing (kNotFound) if no machine
/// has it.
Result<ports::Image> supply_image(World& world, const MachineEngine& machine, const std::string& reference);

/// Where it keeps an archive on its way, and how the file's name begins.
std::filesystem::path image_folder();
inline constexpr std::string_view kImageFilePrefix = "slipway-image-";

}  // namespace slipway::deployment_manager
