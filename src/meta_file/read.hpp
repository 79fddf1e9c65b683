#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "meta_file/detect_runtime.hpp"
#include "meta_file/service_spec.hpp"

namespace slipway::meta_file {

/// Every runtime with a recipe, in the versions that there are: for whoever reads without knowing the server,
/// which has the last word.
std::map<std::string, std::vector<std::string>> known_runtimes();

/// What the settings of a server or machine say about meta files. The default is that of a server without
/// any.
struct Policy {
  /// Runtimes that can be built here with their versions (an empty list: any).
  std::map<std::string, std::vector<std::string>> runtimes = known_runtimes();
  /// Host ports that no service may publish on.
  std::vector<std::uint16_t> forbidden_ports{22, 2375, 2376};
  bool allow_root = false;
};

/// One thing to say about a line of the file.
struct Finding {
  Error error;       ///< `where` is "service.yaml:12:1"
  std::string line;  ///< the offending line, safe to print
};

/// What reading a meta file gave: a spec and no errors, or no spec and at least one error.
struct Reading {
  std::optional<ServiceSpec> spec;
  std::vector<Finding> errors;    ///< in the order of the file, at most 20
  std::vector<Finding> warnings;  ///< such as meta.secret_in_env
  std::string detected;           ///< what the source was taken for, with the evidence; empty: it was named

  bool ok() const { return spec.has_value(); }
};

/// Reads and checks a whole service.yaml or service.json; docs/contracts.md lists the codes. Pure. With the
/// source, a runtime or command that the file leaves out is detected.
Reading read_service(std::string_view file_name, std::string_view text, const Policy& policy = {},
                     const SourceView* source = nullptr);

/// The path in the source of what the command starts, if it is there at all: "/app/x" and "./x" are x.
std::string entry_path(const ServiceSpec& spec);

/// Checks that need the source, `meta.entry_missing`: the Dockerfile that the meta names, the script that the
/// command starts (unless build steps may make it). `paths` are the files of the source, sorted; `text` is
/// the meta file's, for the places.
std::vector<Finding> check_against_source(const ServiceSpec& spec, std::span<const std::string> paths,
                                          std::string_view file_name = "service.yaml",
                                          std::string_view text = {});

/// Where a key ("build.dockerfile") stands in a meta file: "service.yaml:4:1"; the file's name if it is not
/// there.
std::string where_is(std::string_view file_name, std::string_view text, std::string_view key);

/// All findings as the one error of a status message: code, place and hint are the first one's, the message
/// holds the offending line and names the others. `findings` must not be empty.
Error as_one_error(std::span<const Finding> findings);

/// "service.yaml:12:1: unknown key 'prots'\n  prots: [8080]\n  hint: did you mean 'ports'?"
std::string render(const Finding& finding);

/// The JSON Schema that is served at /schemas/service.v1.json.
std::string_view schema_text();

}  // namespace slipway::meta_file
