#include "meta_file/dockerfile.hpp"

#include <gtest/gtest.h>

#include "meta_file/read.hpp"

namespace slipway::meta_file {
namespace {

ServiceSpec spec_of(const std::string& text) {
  const auto reading = read_service("service.yaml", text);
  EXPECT_TRUE(reading.ok()) << (reading.errors.empty() ? "" : render(reading.errors[0]));
  return reading.spec.value_or(ServiceSpec());
}

ServiceSpec python(const std::string& more = "") {
  return spec_of("name: a\nruntime: python\ncommand: python main.py\n" + more);
}

std::string made(const ServiceSpec& spec, const SourceFacts& facts = {}, const Recipe& recipe = {}) {
  const auto text = make_dockerfile(spec, recipe, facts);
  EXPECT_TRUE(text) << to_string(text.error());
  return text.value_or("");
}

TEST(Dockerfile, of_a_plain_python_service) {
  EXPECT_EQ(made(python()),
            "FROM slipway/python:3.11 AS base\n"
            "LABEL slipway.build=\"default\"\n"
            "USER 0:0\n"
            "ENV PYTHONPATH=/deps PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp\n"
            "WORKDIR /app\n"
            "RUN [\"/bin/sh\",\"-c\",\"command -v python >/dev/null || ln -s \\\"$(command -v python3)\\\" "
            "/usr/local/bin/python\"]\n"
            "\n"
            "FROM base\n"
            "LABEL slipway.build=\"\"\n"
            "USER 65532:65532\n"
            "COPY app/ ./\n");
}

TEST(Dockerfile, installs_requirements_in_a_stage_of_their_own) {
  const std::string text = made(python(), {.has_requirements = true, .has_ca_bundle = true});
  const std::size_t last_stage = text.rfind("\nFROM base\n");
  const std::size_t install = text.find("exec python3 -m pip install -r requirements.txt\"]");
  EXPECT_NE(install, std::string::npos) << text;
  EXPECT_LT(text.find("COPY app/requirements.txt"), install);
  EXPECT_LT(install, text.find("COPY app/ "));
  EXPECT_LT(text.find("ca.pem"), last_stage);
  EXPECT_EQ(text.find("ca.pem", last_stage), std::string::npos) << "the CA bundle stays in the build stage";
  EXPECT_GT(text.find("COPY --from=build /deps /deps"), last_stage);
  EXPECT_FALSE(made(python(), {.has_requirements = true}).contains("CERT"));
}

TEST(Dockerfile, runs_the_users_steps_as_json_words) {
  const std::string text = made(python(
      "build: {steps: [\"echo \\\"hi\\\" && id\\nRUN id\"], args: {A: secret}, packages: [curl, g++]}\n"));
  EXPECT_TRUE(text.contains("RUN [\"/bin/sh\",\"-c\",\"echo \\\"hi\\\" && id\\nRUN id\"]\n")) << text;
  EXPECT_FALSE(text.contains("\nRUN id"));
  EXPECT_TRUE(text.contains("ARG A\n"));
  EXPECT_FALSE(text.contains("secret"));
  EXPECT_TRUE(text.contains("--no-install-recommends curl g++ &&"));
  EXPECT_TRUE(text.contains("COPY --from=build /app ./\n"));
}

TEST(Dockerfile, holds_no_value_of_the_meta_file) {
  const std::string text =
      made(python("env: {SECRET: \"x\\nRUN id\"}\nlabels: {marker: y}\nversion: marker\nowner: marker\n"
                  "description: marker\nentrypoint: marker\nworking_dir: /marker\nuser: 4242\n"));
  for (const char* value : {"SECRET", "RUN id", "marker", "4242", "main.py"})
    EXPECT_FALSE(text.contains(value)) << value;
}

TEST(Dockerfile, makes_the_folders_of_volumes_for_their_user) {
  EXPECT_TRUE(
      made(python("volumes: [\"data:/var/lib/x\"]\n"))
          .contains(
              "RUN [\"mkdir\",\"-p\",\"/var/lib/x\"]\nRUN [\"chown\",\"65532:65532\",\"/var/lib/x\"]\n"));
  EXPECT_TRUE(made(python("user: 1000\nvolumes: [\"data:/x\"]\n"))
                  .contains("RUN [\"chown\",\"1000:1000\",\"/x\"]\n"));
}

const Recipe kTwoImages{.base_image = "run:1", .build_image = "tools:1"};

TEST(Dockerfile, of_a_node_service_installs_with_one_image_and_runs_on_the_other) {
  const auto spec = spec_of("name: a\nruntime: node\ncommand: node s.js\n");
  EXPECT_EQ(made(spec, {.has_dependencies = true, .has_lock = true}, kTwoImages),
            "FROM run:1 AS base\n"
            "LABEL slipway.build=\"default\"\n"
            "USER 0:0\n"
            "ENV NODE_ENV=production HOME=/tmp\n"
            "WORKDIR /app\n"
            "\n"
            "FROM tools:1 AS build\n"
            "LABEL slipway.build=\"default\"\n"
            "USER 0:0\n"
            "ENV HOME=/tmp npm_config_cache=/tmp/npm npm_config_update_notifier=false npm_config_fund=false "
            "npm_config_audit=false\n"
            "WORKDIR /app\n"
            "COPY app/package.json app/package-lock.json ./\n"
            "RUN [\"npm\",\"ci\",\"--omit=dev\",\"--ignore-scripts\"]\n"
            "\n"
            "FROM base\n"
            "LABEL slipway.build=\"\"\n"
            "USER 65532:65532\n"
            "COPY app/ ./\n"
            "COPY --from=build /app/node_modules ./node_modules\n");
  const std::string plain = made(spec, {}, kTwoImages);
  EXPECT_FALSE(plain.contains("npm")) << "nothing to install";
  EXPECT_TRUE(made(spec, {.has_dependencies = true}).contains("\"npm\",\"install\""));
  EXPECT_TRUE(made(spec, {.has_dependencies = true, .has_ca_bundle = true})
                  .contains("NODE_EXTRA_CA_CERTS=/run/slipway-ca.pem"));
  const auto stepped =
      made(spec_of("name: a\nruntime: node\ncommand: node s.js\nbuild: {steps: [npm run build]}\n"), {},
           kTwoImages);
  EXPECT_TRUE(stepped.contains("RUN [\"/bin/sh\",\"-c\",\"npm run build\"]\n\nFROM base\n"));
  EXPECT_TRUE(stepped.ends_with("COPY --from=build /app ./\n"));
}

TEST(Dockerfile, of_a_cpp_service_leaves_the_toolchain_behind) {
  const auto spec = spec_of(
      "name: a\nruntime: cpp\ncommand: a\nbuild: {packages: [libfoo1, libfoo-dev], artifacts: [www/page]}\n");
  EXPECT_EQ(
      made(spec, {}, kTwoImages),
      "FROM tools:1 AS build\n"
      "LABEL slipway.build=\"default\"\n"
      "USER 0:0\n"
      "ENV HOME=/tmp\n"
      "WORKDIR /src\n"
      "RUN [\"/bin/sh\",\"-c\",\"apt-get update && apt-get install -y --no-install-recommends libfoo1 "
      "libfoo-dev && rm -rf /var/lib/apt/lists/*\"]\n"
      "RUN [\"mkdir\",\"-p\",\"/out\"]\n"
      "COPY app/ ./\n"
      "RUN [\"/bin/sh\",\"-c\",\"cmake -S . -B /build -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF "
      "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=/out/bin && cmake --build /build -j \\\"$(nproc)\\\" && "
      "cmake --install /build --prefix /out --strip\"]\n"
      "\n"
      "FROM run:1 AS base\n"
      "LABEL slipway.build=\"default\"\n"
      "USER 0:0\n"
      "ENV HOME=/tmp PATH=/app/bin:${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}\n"
      "WORKDIR /app\n"
      "RUN [\"/bin/sh\",\"-c\",\"apt-get update && apt-get install -y --no-install-recommends libfoo1 && "
      "rm -rf /var/lib/apt/lists/*\"]\n"
      "\n"
      "FROM base\n"
      "LABEL slipway.build=\"\"\n"
      "USER 65532:65532\n"
      "COPY --from=build /out/ ./\n"
      "COPY --from=build [\"/src/www/page\",\"./www/page\"]\n");
  const auto stepped =
      made(spec_of("name: a\nruntime: cpp\ncommand: ./a\nbuild: {steps: [make], artifacts: [a]}\n"));
  EXPECT_TRUE(stepped.contains("RUN [\"/bin/sh\",\"-c\",\"make\"]\n")) << stepped;
  EXPECT_FALSE(stepped.contains("cmake"));
}

TEST(Dockerfile, of_a_binary_gives_back_a_lost_x_bit) {
  const auto spec = spec_of("name: a\nruntime: binary\ncommand: /app/hello --port 80\n");
  const std::string text = made(spec, {.entry_executable = false});
  EXPECT_TRUE(text.contains("COPY app/ ./\nRUN [\"chmod\",\"0755\",\"/app/hello\"]\nLABEL")) << text;
  EXPECT_FALSE(made(spec).contains("chmod"));
  EXPECT_FALSE(text.contains("--port"));
}

TEST(Dockerfile, asks_for_network_and_toolchain_only_where_they_are_used) {
  const auto needs = [](const std::string& runtime, const SourceFacts& facts = {}) {
    const auto found = needs_of(spec_of("name: a\nruntime: " + runtime + "\ncommand: /app/a\n"), facts);
    return std::pair(found.network, found.build_image);
  };
  EXPECT_EQ(needs("python"), std::pair(false, false));
  EXPECT_EQ(needs("python", {.has_requirements = true}), std::pair(true, false));
  EXPECT_EQ(needs("node"), std::pair(false, false));
  EXPECT_EQ(needs("node", {.has_dependencies = true}), std::pair(true, true));
  EXPECT_EQ(needs("cpp"), std::pair(true, true));
  EXPECT_EQ(needs("binary", {.has_requirements = true}), std::pair(false, false));
}

TEST(Dockerfile, installs_what_package_json_names_and_the_source_does_not_bring) {
  std::string package = R"({"dependencies": {"a": "1"}})";
  SourceView source{{"package-lock.json", "package.json"},
                    [&](const std::string&, std::size_t) { return package; }};
  EXPECT_TRUE(facts_of(source).has_dependencies && facts_of(source).has_lock);
  package = R"({"devDependencies": {"a": "1"}, "dependencies": {}})";
  EXPECT_FALSE(facts_of(source).has_dependencies);
  package = R"({"dependencies": {"a": "1"}})";
  source.paths.insert(source.paths.begin(), "node_modules/a/index.js");
  EXPECT_FALSE(facts_of(source).has_dependencies);
}

TEST(Dockerfile, refuses_what_could_start_an_instruction) {
  EXPECT_FALSE(make_dockerfile(python(), Recipe{.base_image = "x\nRUN id"}, {}));
  EXPECT_FALSE(make_dockerfile(python(), Recipe{.base_image = "x", .instance = "a\"b"}, {}));
  ServiceSpec spec = python();
  spec.build_packages = {"x; id"};
  EXPECT_FALSE(make_dockerfile(spec, Recipe{}, {}));
  spec = python();
  spec.build_args = {{"A\nRUN id", "x"}};
  EXPECT_FALSE(make_dockerfile(spec, Recipe{}, {}));
  spec = python();
  spec.build_artifacts = {"x\" \"/"};
  EXPECT_EQ(make_dockerfile(spec, Recipe{}, {}).error().code, "meta.path");
  EXPECT_FALSE(make_dockerfile(python(), Recipe{.base_image = "x", .build_image = "y z"}, {}));
  spec = python();
  spec.runtime = "java";
  EXPECT_EQ(make_dockerfile(spec, Recipe{}, {}).error().code, "meta.runtime_unknown");
}

}  // namespace
}  // namespace slipway::meta_file
