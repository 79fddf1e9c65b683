#include "systems/deployment_manager/secrets.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"

namespace slipway::deployment_manager {
namespace {

struct Opened {
  std::string version;
  std::string value;
};

Result<Opened> open_one(const SecretBox& box, const ports::Secret& secret) {
  if (secret.key_id != box.key_id())
    return denied("secret.key",
                  fmt::format("the secret {} was sealed under the key {}, this server has {}", secret.name,
                              escape_for_people(secret.key_id), box.key_id()),
                  "give all servers the same secrets.key_file, or set the secret again");
  auto value = box.open(secret.sealed, secret.place());
  if (!value) return std::move(value).error().in(secret.name);
  return Opened{secret.version, std::move(*value)};
}

Result<std::map<std::string, Opened>> open_all(World& world, const meta_file::ServiceSpec& spec) {
  std::map<std::string, Opened> opened;
  if (spec.secrets.empty()) return opened;
  const auto& box = world.settings.secret_box;
  if (!box)
    return denied("secret.no_key", "the service needs secrets, and this server has no key for them",
                  "set secrets.key_file");
  std::vector<std::string> missing;
  for (const auto& need : spec.secrets) {
    if (opened.contains(need.name)) continue;
    SLIPWAY_ASSIGN(const auto stored, world.repository.secrets().find(need.name));
    if (!stored) {
      missing.push_back(need.name);
      continue;
    }
    SLIPWAY_ASSIGN(opened[need.name], open_one(*box, *stored));
  }
  if (missing.empty()) return opened;
  return not_found(
      "secret.missing",
      fmt::format("nobody has set the secret{} {}", missing.size() > 1 ? "s" : "", join(missing, ", ")),
      fmt::format("slipway secret set {} --file FILE", missing.front()));
}

// "65532", "65532:65532"; a name is the image's business.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool known = false;
};
Owner owner_of(const std::string& user) {
  const auto number = [](std::string_view text, std::uint32_t& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size();
  };
  Owner owner;
  const auto colon = user.find(':');
  const std::string name = user.substr(0, colon);
  owner.known = name.empty() || name == "root" || number(name, owner.uid);
  if (colon != std::string::npos && !number(std::string_view(user).substr(colon + 1), owner.gid))
    owner.gid = 0;  // a group's name: its owner alone reads
  return owner;
}

}  // namespace

Result<std::map<std::string, std::string>> secret_versions(World& world, const meta_file::ServiceSpec& spec) {
  SLIPWAY_ASSIGN(const auto opened, open_all(world, spec));
  std::map<std::string, std::string> versions;
  for (const auto& [name, secret] : opened) versions[name] = secret.version;
  return versions;
}

Result<std::vector<TarEntry>> secret_files(World& world, const meta_file::ServiceSpec& spec,
                                           const std::string& user) {
  SLIPWAY_ASSIGN(const auto opened, open_all(world, spec));
  const Owner owner = owner_of(user);
  std::vector<TarEntry> files;
  for (const auto& need : spec.secrets)
    files.push_back(
        {need.target, opened.at(need.name).value, owner.known ? 0400U : 0444U, owner.uid, owner.gid});
  return files;
}

}  // namespace slipway::deployment_manager
