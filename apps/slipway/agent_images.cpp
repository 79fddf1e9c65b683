#include "agent_images.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace slipway {

Result<std::map<std::string, deployment_manager::AgentImage>> find_agent_images(const std::string& folder) {
  std::map<std::string, deployment_manager::AgentImage> images;
  for (const std::string arch : {"amd64", "arm64"}) {
    const auto facts_path = std::filesystem::path(folder) / fmt::format("agent-{}.json", arch);
    std::ifstream in(facts_path);
    if (!in) continue;
    const auto facts = nlohmann::json::parse(in, nullptr, false);
    try {
      images[arch] = {.archive = std::filesystem::path(folder) / facts.at("archive").get<std::string>(),
                      .reference = facts.at("image").get<std::string>(),
                      .version = facts.at("version").get<std::string>(),
                      .probe_digest = facts.at("probe").at("sha256").get<std::string>()};
    } catch (const nlohmann::json::exception& error) {
      return Error{ErrorKind::kCorrupt, "agent.image_facts",
                   fmt::format("{}: {}", facts_path.string(), error.what())};
    }
  }
  if (images.empty())
    return not_found("agent.no_image", fmt::format("no agent-<arch>.json in {}", folder),
                     "build the target agent_image, or set agent.images_dir");
  return images;
}

}  // namespace slipway
