#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <ostream>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using Command = std::function<int()>;

/// What all commands write into while the words are read; lives until the command has run.
struct Choices {
  Command command;
  ServeOptions serve;
  std::string roles = "all";
  std::string folder, request_id, name;
  InitOptions init;
  DeployOptions deploy;
  WishOptions wish;
  std::int64_t release = 0;
  LogOptions logs;
  ShowOptions show;
  MessagesOptions messages;
  std::string span = "5s";
  std::string timeout = "30m";
  MachineOptions machine;
  std::string docker;
  SensorOptions sensor;
  SecretOptions secret;
  bool check = false;
};

/// A usage mistake that CLI11 cannot see.
Error usage(std::string message, std::string hint = {}) {
  return invalid("usage", std::move(message), std::move(hint));
}

class Arguments {
 public:
  explicit Arguments(Session& session)
      : session_(session),
        app_("Slipway puts services on machines and keeps them running there.", "slipway") {
    app_.fallthrough();
    app_.require_subcommand(0, 1);
    app_.footer(
        "Examples:\n  slipway deploy ./boiler-monitor --machine edge-1\n  slipway status\n  slipway logs -f "
        "boiler-monitor\n"
        "  slipway COMMAND --help\n\nExit codes: 0 done and healthy, 1 unexpected, 2 usage or invalid input, "
        "3 no such thing, 4 not allowed,\n"
        "5 server, Kafka or MongoDB unreachable, 6 build failed, 7 failed: the previous release serves,\n"
        "8 failed: the service is down, 9 deadline passed, 10 refused or cancelled before anything was "
        "touched,\n"
        "130 interrupted: the deployment goes on.");
    app_.set_version_flag("--version", "slipway " + session.world.version);
    add_global_options();
    add_service_commands();
    add_watching_commands();
    add_machine_commands();
    add_sensor_commands();
    add_secret_commands();
    add_serve();
  }

  int run(std::vector<std::string> words) {
    for (std::size_t i = 0; i < words.size(); ++i)  // before anything can go wrong: mistakes are JSON too
      if (words[i] == "--progress=json" ||
          (words[i] == "--progress" && i + 1 < words.size() && words[i + 1] == "json"))
        session_.progress = ProgressMode::kJson;
    if (const auto mistake = find_unknown_command(words)) return say_usage(*mistake);
    std::ranges::reverse(words);  // CLI11 takes them from the back
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& stop) {
      if (stop.get_exit_code() == 0) return app_.exit(stop, session_.world.out, session_.world.err);
      return say_usage(usage(stop.what()));
    }
    if (!chosen_.command) {
      session_.world.err << app_.help();
      return static_cast<int>(ExitCode::kUsage);
    }
    return chosen_.command();
  }

 private:
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what,
                const std::string& example, Command command) {
    CLI::App* made = parent.add_subcommand(name, what);
    made->fallthrough();
    made->footer("Example:\n  " + example);
    made->callback([this, command = std::move(command)] { chosen_.command = command; });
    return made;
  }

  void add_global_options() {
    static const std::map<std::string, Format> kFormats{{"table", Format::kTable},
                                                        {"wide", Format::kWide},
                                                        {"json", Format::kJson},
                                                        {"yaml", Format::kYaml},
                                                        {"name", Format::kName}};
    static const std::map<std::string, ProgressMode> kModes{{"auto", ProgressMode::kAuto},
                                                            {"tty", ProgressMode::kTty},
                                                            {"plain", ProgressMode::kPlain},
                                                            {"quiet", ProgressMode::kQuiet},
                                                            {"json", ProgressMode::kJson}};
    app_.add_option("--server", session_.server,
                    "where the server is ($SLIPWAY_URL, else http://127.0.0.1:7420)")
        ->type_name("URL");
    app_.add_option("-o,--output", session_.format, "table, wide, json, yaml or name")
        ->transform(CLI::CheckedTransformer(kFormats).description(""))
        ->type_name("FORMAT");
    app_.add_option("--progress", session_.progress,
                    "auto, tty, plain, quiet or json (JSON lines on standard error)")
        ->transform(CLI::CheckedTransformer(kModes).description(""))
        ->type_name("MODE");
    app_.add_flag("--yes", session_.yes, "do not ask before something is removed");
  }

  void add_wish(const std::string& name, const std::string& action, const std::string& what,
                const std::string& example) {
    CLI::App* made = add(app_, name, what, example, [this, action] {
      chosen_.wish.action = action;
      if (const Status read = read_timeout(chosen_.wish.timeout); !read) return fail(session_, read.error());
      return wish(session_, chosen_.wish);
    });
    made->add_option("SERVICE", chosen_.wish.service, "name of the service")->required();
    made->add_option("--timeout", chosen_.timeout, "how long to wait for the outcome (30m)")
        ->type_name("DURATION");
    if (action == "rollback")
      made->add_option_function<std::int64_t>(
              "--to", [this](std::int64_t number) { chosen_.wish.release = number; },
              "release to go back to (the one before)")
          ->type_name("N");
  }

  void add_service_commands() {
    CLI::App* check =
        add(app_, "validate", "check a folder's service.yaml and files; nothing is sent",
            "slipway validate ./boiler-monitor", [this] { return validate(session_, chosen_.folder); });
    check->add_option("FOLDER", chosen_.folder, "holds service.yaml (.)")->default_val(".");
    CLI::App* fresh = add(app_, "init", "write a service.yaml for a folder of code; nothing is overwritten",
                          "slipway init ./boiler-monitor", [this] { return init(session_, chosen_.init); });
    fresh->add_option("FOLDER", chosen_.init.folder, "holds the code (.)");
    fresh->add_option("--name", chosen_.init.name, "name of the service (the folder's)");
    fresh->add_option("--runtime", chosen_.init.runtime, "such as node@18 (what the files say)");
    fresh->add_option("--command", chosen_.init.command, "what to run (what the files say)");
    CLI::App* put = add(app_, "deploy", "make a folder a running, healthy service",
                        "slipway deploy ./boiler-monitor --machine edge-1\n  slipway deploy --path "
                        "boiler-monitor/1.4.0 --machine edge-1",
                        [this] { return run_deploy(); });
    put->add_option("FOLDER", chosen_.deploy.folder, "holds service.yaml and the code");
    put->add_option("--path", chosen_.deploy.path, "a source that is in the Repository already");
    put->add_option("--service", chosen_.deploy.service,
                    "with --path: its name, if it is not the first part");
    put->add_option("-m,--machine", chosen_.deploy.machine, "where to (the Scheduler decides)");
    put->add_option("--timeout", chosen_.timeout, "how long to wait for the outcome (30m)")
        ->type_name("DURATION");
    add_wish("rollback", "rollback", "go back to the release before, whole and without a build",
             "slipway rollback boiler-monitor --to 6");
    add_wish("stop", "stop", "stop a service; its release stays", "slipway stop boiler-monitor");
    add_wish("start", "start", "start a stopped service", "slipway start boiler-monitor");
    add_wish("restart", "restart", "stop and start a service", "slipway restart boiler-monitor");
    add_wish("rm", "remove", "remove a service and its containers", "slipway rm boiler-monitor --yes");
    add(app_, "follow", "show a request from its beginning to its end", "slipway follow r-01KAQ2...",
        [this] { return follow_request(session_, chosen_.request_id); })
        ->add_option("REQUEST", chosen_.request_id, "its request id")
        ->required();
    add(app_, "cancel", "cancel a request that goes on", "slipway cancel r-01KAQ2...",
        [this] { return cancel_request(session_, chosen_.request_id); })
        ->add_option("REQUEST", chosen_.request_id, "its request id")
        ->required();
  }

  void add_watching_commands() {
    add(app_, "status", "machines, services and the eleven systems on one screen", "slipway status -o json",
        [this] { return status(session_); });
    add(app_, "doctor", "check every part and name what is down", "slipway doctor\n  slipway doctor --check",
        [this] { return chosen_.check ? check(session_) : doctor(session_); })
        ->add_flag("--check", chosen_.check,
                   "compare services, deployments, containers, images, volumes, status messages and samples "
                   "with the journal; a line per difference, exit code 1 if there is one");
    CLI::App* lines = add(app_, "logs", "what a service printed", "slipway logs -f boiler-monitor",
                          [this] { return logs(session_, chosen_.logs); });
    lines->add_option("SERVICE", chosen_.logs.service, "name of the service")->required();
    lines->add_flag("-f,--follow", chosen_.logs.follow, "go on, also with the next release");
    lines->add_option("-n,--tail", chosen_.logs.tail, "lines from the end (100)");
    CLI::App* one =
        add(app_, "show", "one service with its releases and history",
            "slipway show boiler-monitor --dockerfile", [this] { return show(session_, chosen_.show); });
    one->add_option("SERVICE", chosen_.show.service, "name of the service")->required();
    one->add_flag("--dockerfile", chosen_.show.dockerfile,
                  "print the Dockerfile that its image was built from");
    CLI::App* said =
        add(app_, "messages", "what crosses Kafka, a line each: time, from, to, topic, what it says",
            "slipway messages -f --topic deployment", [this] { return run_messages(); });
    said->add_flag("-f,--follow", chosen_.messages.follow, "go on until interrupted");
    said->add_option("--for", chosen_.span, "without -f: how long to listen (5s)")->type_name("DURATION");
    said->add_option("--topic", chosen_.messages.topics,
                     "only topics with this in their name (again for more)");
  }

  void add_machine_commands() {
    CLI::App* group = app_.add_subcommand("machine", "machines: add, ls, show, label, rm");
    group->require_subcommand(1);
    group->fallthrough();
    CLI::App* made = add(*group, "add", "register a machine; its agent comes by itself",
                         "slipway machine add edge-1 --docker tcp://10.0.0.9:2376 --tls edge",
                         [this] { return run_machine_add(); });
    made->add_option("NAME", chosen_.machine.name, "a name for it")->required();
    made->add_option("ENDPOINT", chosen_.machine.endpoint,
                     "its Engine: unix:///var/run/docker.sock, tcp://host:2376");
    made->add_option("--docker", chosen_.docker, "the same as ENDPOINT");
    made->add_option("--tls", chosen_.machine.tls, "name of credentials on the server");
    made->add_option("--label", chosen_.machine.labels, "key=value (again for more)");
    add(*group, "ls", "all machines", "slipway machine ls -o json",
        [this] { return machine_list(session_); });
    add(*group, "show", "one machine", "slipway machine show edge-1",
        [this] { return machine_show(session_, chosen_.name); })
        ->add_option("NAME", chosen_.name)
        ->required();
    CLI::App* label = add(*group, "label", "set labels", "slipway machine label edge-1 site=plant-2",
                          [this] { return machine_label(session_, chosen_.machine); });
    label->add_option("NAME", chosen_.machine.name)->required();
    label->add_option("LABELS", chosen_.machine.labels, "key=value")->required();
    add(*group, "rm", "forget a machine", "slipway machine rm edge-1 --yes",
        [this] { return machine_remove(session_, chosen_.name); })
        ->add_option("NAME", chosen_.name)
        ->required();
  }

  void add_sensor_options(CLI::App* made) {
    made->add_option("ID", chosen_.sensor.id, "its id")->required();
    made->add_option("--type", chosen_.sensor.type, "what kind, such as bme280");
    made->add_option("--location", chosen_.sensor.location, "SITE/ROOM");
    made->add_option("--rate", chosen_.sensor.rate, "readings: 1/s, 12/min");
    made->add_option("--fields", chosen_.sensor.fields,
                     "name=unit, such as temperature=Cel (again or commas for more)")
        ->delimiter(',');
    made->add_option("--topic", chosen_.sensor.topic, "Kafka topic (sensor.TYPE.ID)");
  }

  void add_sensor_commands() {
    CLI::App* group = app_.add_subcommand("sensor", "sensors: add, ls, show, simulate, rm");
    group->require_subcommand(1);
    group->fallthrough();
    CLI::App* made = add(*group, "add", "register a sensor",
                         "slipway sensor add boiler-7 --type bme280 --location plant-2/boiler-room --rate "
                         "1/s --fields temperature=Cel --simulated",
                         [this] { return sensor_add(session_, chosen_.sensor); });
    add_sensor_options(made);
    made->add_flag("--simulated,--simulate", chosen_.sensor.simulated,
                   "the Sensor Manager publishes readings until it is removed");
    add_sensor_options(add(*group, "simulate", "let the Sensor Manager publish readings of it",
                           "slipway sensor simulate boiler-7 --rate 20/s",
                           [this] { return sensor_simulate(session_, chosen_.sensor); }));
    add(*group, "ls", "all sensors", "slipway sensor ls", [this] { return sensor_list(session_); });
    add(*group, "show", "one sensor and who reads it", "slipway sensor show boiler-7",
        [this] { return sensor_show(session_, chosen_.name); })
        ->add_option("ID", chosen_.name)
        ->required();
    add(*group, "rm", "forget a sensor", "slipway sensor rm boiler-7 --yes",
        [this] { return sensor_remove(session_, chosen_.name); })
        ->add_option("ID", chosen_.name)
        ->required();
  }

  void add_secret_commands() {
    CLI::App* group = app_.add_subcommand("secret", "secrets: set, ls, rm");
    group->require_subcommand(1);
    group->fallthrough();
    CLI::App* put = add(*group, "set", "give a secret its value, from a file or standard input",
                        "slipway secret set MQTT_PASSWORD --file password.txt",
                        [this] { return secret_set(session_, chosen_.secret); });
    put->add_option("NAME", chosen_.secret.name, "letters, digits and _")->required();
    put->add_option("--file", chosen_.secret.file, "holds the value (standard input)")->type_name("FILE");
    add(*group, "ls", "the names of all secrets", "slipway secret ls",
        [this] { return secret_list(session_); });
    add(*group, "rm", "forget a secret", "slipway secret rm MQTT_PASSWORD --yes",
        [this] { return secret_remove(session_, chosen_.name); })
        ->add_option("NAME", chosen_.name)
        ->required();
  }

  void add_serve() {
    CLI::App* made = add(app_, "serve", "run the server, or some of its roles",
                         "slipway serve --roles all --config /etc/slipway/slipway.yaml", [this] {
                           for (const std::string& role : split(chosen_.roles, ','))
                             if (!role.empty()) chosen_.serve.roles.push_back(role);
                           return session_.world.serve(chosen_.serve);
                         });
    made->add_option("--roles", chosen_.roles, "all, or names with commas between");
    made->add_option("--config", chosen_.serve.config, "settings file (/etc/slipway/slipway.yaml)");
    made->add_flag("--enable-failpoints", chosen_.serve.enable_failpoints,
                   "for tests: lets $SLIPWAY_FAILPOINTS kill this server on purpose");
    add(app_, "failpoints", "the places where a test can kill a server on purpose", "slipway failpoints",
        [this] { return list_failpoints(session_); });
  }

  Status read_timeout(std::chrono::milliseconds& into) {
    auto read = parse_duration(chosen_.timeout);
    if (!read) return usage("--timeout: " + read.error().message, "such as 90s or 30m");
    into = *read;
    return {};
  }

  int run_deploy() {
    if (chosen_.deploy.folder.empty() == chosen_.deploy.path.empty())
      return say_usage(usage("deploy needs a FOLDER or --path PATH, one of them",
                             "slipway deploy ./boiler-monitor --machine edge-1"));
    if (const Status read = read_timeout(chosen_.deploy.timeout); !read) return fail(session_, read.error());
    return deploy(session_, chosen_.deploy);
  }

  int run_messages() {
    const auto span = parse_duration(chosen_.span);
    if (!span) return say_usage(usage("--for: " + span.error().message, "such as 10s"));
    chosen_.messages.span = *span;
    return messages_command(session_, chosen_.messages);
  }

  int run_machine_add() {
    if (!chosen_.docker.empty()) chosen_.machine.endpoint = chosen_.docker;
    if (chosen_.machine.endpoint.empty())
      return say_usage(usage("machine add needs the address of its Engine",
                             "slipway machine add here --docker unix:///var/run/docker.sock"));
    return machine_add(session_, chosen_.machine);
  }

  /// Before CLI11 reads anything, so that the mistake can name the nearest command.
  std::optional<Error> find_unknown_command(const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const CLI::App* one : app_.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(one->get_name());
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].starts_with('-')) {
        const bool takes_value =
            words[i] == "-o" || words[i] == "--output" || words[i] == "--server" || words[i] == "--progress";
        if (words[i] == "-o" && i + 1 < words.size() && words[i + 1] == "json")
          session_.format = Format::kJson;
        if (takes_value) ++i;
        continue;
      }
      if (std::ranges::find(names, words[i]) != names.end()) return std::nullopt;
      const auto near = did_you_mean(words[i], names);
      return usage("there is no command '" + words[i] + "'",
                   near ? "did you mean 'slipway " + *near + "'?" : "slipway --help lists them");
    }
    return std::nullopt;
  }

  int say_usage(const Error& error) { return fail(session_, error); }

  Session& session_;
  CLI::App app_;
  Choices chosen_;
};

}  // namespace

int run_arguments(Session& session, std::vector<std::string> words) {
  return Arguments(session).run(std::move(words));
}

}  // namespace slipway::cli
