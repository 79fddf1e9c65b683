#include "meta_file/dockerfile.hpp"

#include <gtest/gtest.h>

#include "meta_file/read.hpp"

namespace slipway::meta_file {
namespace {

ServiceSpec python(const std::string& more = "") {
  const auto reading =
      read_service("service.yaml", "name: a\nruntime: python\ncommand: python main.py\n" + more);
  EXPECT_TRUE(reading.ok()) << (reading.errors.empty() ? "" : render(reading.errors[0]));
  return reading.spec.value_or(ServiceSpec());
}

std::string made(const ServiceSpec& spec, const SourceFacts& facts = {}) {
  const auto text = make_dockerfile(spec, Recipe{}, facts);
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
  spec.runtime = "node";
  EXPECT_EQ(make_dockerfile(spec, Recipe{}, {}).error().code, "meta.runtime_unknown");
}

}  // namespace
}  // namespace slipway::meta_file
