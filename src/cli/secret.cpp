#include <fmt/format.h>

#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;

std::string address_of(const std::string& name) {
  return "/api/v1/secrets/" + percent_encode(name);
}

// All of it, as it is: a value may be binary, and a newline at its end may be meant.
Result<std::string> read_all(std::istream& in, const std::string& from) {
  std::string value(kMostBytes + 1, '\0');
  in.read(value.data(), static_cast<std::streamsize>(value.size()));
  value.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return invalid("usage", "cannot read " + from);
  if (value.empty()) return invalid("secret.empty", from + " is empty");
  if (value.size() > kMostBytes)
    return invalid("secret.too_large", from + " has more than 64 KiB", "a secret is a password or a key");
  return value;
}

Result<std::string> read_value(Session& session, const SecretOptions& options) {
  if (!options.file.empty() && options.file != "-") {
    std::ifstream in(options.file, std::ios::binary);
    if (!in) return invalid("usage", "cannot read the file " + options.file);
    return read_all(in, options.file);
  }
  if (session.world.in_is_terminal)
    return invalid("usage", "the value is read from a file or from standard input, never from the terminal",
                   fmt::format("slipway secret set {} --file FILE", options.name));
  return read_all(session.world.in, "standard input");
}

}  // namespace

int secret_set(Session& session, const SecretOptions& options) {
  const auto value = read_value(session, options);
  if (!value) return fail(session, value.error());
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto reply = api->put(address_of(options.name) + "?by=" + percent_encode(session.world.user), *value,
                              "application/octet-stream");
  if (!reply) return fail(session, reply.error());
  if (value->ends_with('\n') && session.for_people())
    session.world.err << "The value ends with a newline, which is part of it (printf writes none).\n";
  if (write_value(session, *reply)) return 0;
  session.world.out << (reply->value("unchanged", false)
                            ? fmt::format("Secret {} had this value already.\n", options.name)
                            : fmt::format("Set secret {}. Services that need it get it with their next "
                                          "deployment.\n",
                                          options.name));
  return 0;
}

int secret_list(Session& session) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto secrets = api->get("/api/v1/secrets");
  if (!secrets) return fail(session, secrets.error());
  if (write_value(session, *secrets)) return 0;
  Table table({"NAME", "SET", "BY", "KEY"});
  for (const auto& secret : *secrets)
    table.add({cell(secret, "name"), human_age(text_of(secret, "updated_at"), session.world.clock.now()),
               cell(secret, "by"), secret.value("readable", false) ? "ok" : "another: set it again"});
  session.world.out << (table.empty() ? "No secret yet: slipway secret set NAME --file FILE\n"
                                      : table.render());
  return 0;
}

int secret_remove(Session& session, const std::string& name) {
  if (const Status agreed = confirm(session, "Remove secret " + name + "?"); !agreed)
    return fail(session, agreed.error());
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto reply = api->remove(address_of(name));
  if (!reply) return fail(session, reply.error());
  if (!write_value(session, *reply)) session.world.out << "Removed secret " << name << ".\n";
  return 0;
}

}  // namespace slipway::cli
