#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "messages/service_event.hpp"
#include "meta_file/dockerfile.hpp"
#include "meta_file/read.hpp"
#include "ports/source_view.hpp"
#include "systems/deployment_manager/container_plan.hpp"
#include "systems/deployment_manager/image_supply.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

struct Recipe {
  std::string dockerfile;           ///< text, kept with the release
  std::string path = "Dockerfile";  ///< in the context
  std::string key;                  ///< of the image
  std::string context_tar;
  bool network = false;
};

meta_file::Recipe site_recipe(const World& world, const meta_file::ServiceSpec& spec) {
  const auto image_of = [&](const std::map<std::string, std::string>& images) {
    const auto found = images.find(spec.runtime);
    return found == images.end() ? std::string{} : found->second;
  };
  return {.base_image = image_of(world.settings.runtime_bases),
          .build_image = image_of(world.settings.runtime_toolchains),
          .instance = world.settings.instance};
}

meta_file::SourceFacts facts_of(StageContext& context, const Source& source) {
  auto facts = meta_file::facts_of(view_of(context.world.archives, source));
  const auto* entry = source.find(meta_file::entry_path(*context.spec));
  facts.entry_executable = entry == nullptr || entry->executable;
  return facts;
}

// The same source, Dockerfile, base, arguments and platform give the same image: it is not built twice.
std::string image_key(const Source& source, const std::string& dockerfile, const std::string& base,
                      const meta_file::ServiceSpec& spec, const std::string& platform) {
  return sha256_hex(nlohmann::json{
      {"source", source.digest},
      {"dockerfile", dockerfile},
      {"base", base},
      {"args", spec.build_args},
      {"platform",
       platform}}.dump());
}

Result<Recipe> own_recipe(StageContext& context, Source& source, const std::string& platform) {
  const auto& spec = *context.spec;
  Recipe recipe{.dockerfile = {}, .path = spec.dockerfile, .key = {}, .context_tar = {}, .network = true};
  SLIPWAY_ASSIGN(recipe.dockerfile, context.world.archives.read_file(source.tar, spec.dockerfile));
  recipe.key = image_key(source, recipe.dockerfile, "", spec, platform);
  recipe.context_tar = std::move(source.tar);
  return recipe;
}

Result<Recipe> runtime_recipe(StageContext& context, const Source& source, const std::string& platform) {
  const auto& world = context.world;
  const auto& spec = *context.spec;
  const meta_file::Recipe base = site_recipe(world, spec);
  if (base.base_image.empty())
    return invalid("meta.runtime_unknown",
                   fmt::format("no base image is set for the runtime {}", spec.runtime),
                   fmt::format("set runtimes.{}.image", spec.runtime));
  SLIPWAY_TRY(supply_image(context.world, *context.machine, base.base_image));
  meta_file::SourceFacts facts = facts_of(context, source);
  const auto needs = meta_file::needs_of(spec, facts);
  if (needs.build_image && !base.build_image.empty())
    SLIPWAY_TRY(supply_image(context.world, *context.machine, base.build_image));
  Recipe recipe;
  SLIPWAY_ASSIGN(recipe.dockerfile, meta_file::make_dockerfile(spec, base, facts));
  recipe.key = image_key(source, recipe.dockerfile, base.base_image, spec, platform);
  recipe.network = needs.network;
  // The CA bundle of this site is used while building and is no part of what the image is.
  facts.has_ca_bundle = recipe.network && !world.settings.ca_bundle.empty();
  SLIPWAY_ASSIGN(const auto dockerfile, meta_file::make_dockerfile(spec, base, facts));
  std::vector<TarEntry> extra{{"Dockerfile", dockerfile, 0644, 0, 0}};
  if (facts.has_ca_bundle)
    extra.push_back({std::string(meta_file::kCaBundlePath), world.settings.ca_bundle, 0644, 0, 0});
  SLIPWAY_ASSIGN(recipe.context_tar, world.archives.make_context(source, meta_file::kSourceFolder, extra));
  return recipe;
}

// Counts "Step 3/8" and "Using cache" while passing the lines on to whoever watches.
class OutputTap {
 public:
  explicit OutputTap(StageContext& context) : context_(context) {}
  void line(std::string_view text) {
    if (text.starts_with("Step ")) ++steps_;
    if (steps_ == 2) context_.world.failpoints.hit(Failpoint::kBuilding, context_.journal.service());
    if (text.find("Using cache") != std::string_view::npos) ++cached_;
    const auto& journal = context_.journal;
    const messages::BuildOutput output{.request_id = journal.id(),
                                       .service_id = journal.service(),
                                       .machine = context_.machine->machine.name,
                                       .at = context_.world.clock.now(),
                                       .text = std::string(text)};
    // May be lost, never blocks: a full queue drops the line.
    (void)context_.world.bus.publish_later({.topic = context_.world.topics.deployment_output,
                                            .key = journal.id(),
                                            .value = messages::to_json(output),
                                            .source = "/deployment_manager",
                                            .type = "slipway.deployment.output.v1",
                                            .subject = journal.id(),
                                            .event_id = {},
                                            .more_headers = {}},
                                           [](const Status&) {});
  }
  std::string summary() const { return fmt::format("{} steps, {} cached", steps_, cached_); }

 private:
  StageContext& context_;
  int steps_ = 0, cached_ = 0;
};

Result<std::string> run_build(StageContext& context, const Recipe& recipe) {
  const auto& settings = context.world.settings;
  auto& release = context.release;
  OutputTap tap(context);
  const ports::BuildSpec build{.tag = release.image,
                               .dockerfile = recipe.path,
                               .labels = {{std::string(kLabelImage), recipe.key},
                                          {"slipway.build", recipe.key},
                                          {std::string(kLabelInstance), settings.instance},
                                          {std::string(kLabelService), release.service_id},
                                          {"org.opencontainers.image.title", release.service_id},
                                          {"org.opencontainers.image.version", release.version}},
                               .args = context.spec->build_args,
                               .network = recipe.network,
                               .deadline = settings.build_deadline,
                               .idle = std::chrono::seconds{120}};
  auto image = context.machine->engine->build(
      build, recipe.context_tar, [&](std::string_view text) { tap.line(text); }, context.stop);
  if (image) return tap.summary();
  if (image.error().retryable()) {  // the answer was lost, perhaps not the image
    const auto made = context.machine->engine->find_image(label(kLabelImage, recipe.key));
    if (made && *made) return tap.summary();
  }
  return image.error();
}

Result<Source*> source_of(StageContext& context) {
  if (!context.source) {
    SLIPWAY_TRY(fetch_source(context, context.release.path, context.release.source_digest));
  }
  return &*context.source;
}

StageOutcome outcome(StageContext& context, std::string message, const std::string& image_user) {
  if (!runs_as_root(*context.spec, image_user)) return {.message = std::move(message), .hint = {}, .end = {}};
  return {.message = message + "; the image runs as root (without capabilities)",
          .state = messages::State::kWarning,
          .hint = "give it a USER, or set user: in service.yaml",
          .end = {}};
}

// The source is in the context now.
void let_source_go(StageContext& context, const Recipe& recipe) {
  context.source.reset();
  context.source_room.shrink_to(recipe.context_tar.size());
}

StageResult make_image(StageContext& context) {
  auto& release = context.release;
  auto& engine = *context.machine->engine;
  if (context.spec->image_source == meta_file::ImageSource::kImage) {
    release.image = context.spec->image;
    release.image_key = sha256_hex("image:" + release.image);
    SLIPWAY_ASSIGN(const auto image, supply_image(context.world, *context.machine, release.image));
    SLIPWAY_TRY(context.journal.remember({{"image", release.image}, {"image_user", image.user}}));
    return outcome(context, fmt::format("{}, nothing to build", release.image), image.user);
  }
  if (reuses_release(context.journal.request())) {  // kept since its build, unless somebody cleaned up
    SLIPWAY_ASSIGN(const auto kept, engine.find_image(label(kLabelImage, release.image_key)));
    if (kept) {
      SLIPWAY_TRY(context.journal.remember({{"image", release.image}, {"image_user", kept->user}}));
      return outcome(context, fmt::format("{} is there, no build", release.image), kept->user);
    }
  }
  SLIPWAY_ASSIGN(Source * source, source_of(context));
  SLIPWAY_ASSIGN(const auto info, engine.info());
  const std::string platform = info.os + "/" + info.architecture;
  const bool own = context.spec->image_source == meta_file::ImageSource::kDockerfile;
  SLIPWAY_ASSIGN(const auto recipe,
                 own ? own_recipe(context, *source, platform) : runtime_recipe(context, *source, platform));
  let_source_go(context, recipe);
  release.dockerfile = recipe.dockerfile;
  release.image_key = recipe.key;
  release.image = fmt::format("slipway/{}:{}", release.service_id, recipe.key.substr(0, 12));
  SLIPWAY_ASSIGN(auto image, engine.find_image(label(kLabelImage, recipe.key)));
  std::string message = fmt::format("{} is there, no build", release.image);
  if (!image) {
    SLIPWAY_ASSIGN(message, run_build(context, recipe));
    SLIPWAY_ASSIGN(image, engine.find_image(label(kLabelImage, recipe.key)));
  }
  context.world.failpoints.hit(Failpoint::kImageMade, context.journal.service());
  SLIPWAY_TRY(context.journal.remember({{"image", release.image}, {"image_user", image ? image->user : ""}}));
  return outcome(context, message, image ? image->user : "");
}

}  // namespace

StageResult build(StageContext& context) {
  auto made = make_image(context);
  context.source.reset();
  context.source_room = {};
  return made;
}

}  // namespace slipway::deployment_manager
