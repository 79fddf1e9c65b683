#include "messages/machine_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "messages/fields.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

constexpr std::size_t kMostContainers = 2000;
constexpr std::size_t kMostOfOneKind = 256;  // file systems, interfaces
constexpr double kMostBytes = 1e18;
constexpr double kMostPercent = 100.5;  // of all cores; counters are read at slightly different times

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// Two decimals are more than any of these is worth; what is not finite is null.
void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
  } else {
    const double rounded = std::abs(value) < 1e12 ? std::round(value * 100) / 100 : value;
    fmt::format_to(std::back_inserter(out), "{}", rounded == 0 ? 0.0 : rounded);
  }
}

template <class... Pairs>
void append_numbers(std::string& out, const Pairs&... pairs) {
  bool first = true;
  const auto one = [&](const auto& pair) {
    fmt::format_to(std::back_inserter(out), "{}\"{}\":", first ? "" : ",", pair.first);
    first = false;
    append_number(out, static_cast<double>(pair.second));
  };
  (one(pairs), ...);
}

template <class T>
std::pair<const char*, T> pair(const char* name, T value) {
  return {name, value};
}

void append_container(const ContainerSample& container, std::string& out) {
  out += "{\"id\":";
  append_text(out, container.id);
  fmt::format_to(std::back_inserter(out), ",\"mem\":{},\"mem_limit\":{},\"pids\":{},", container.mem,
                 container.mem_limit, container.pids);
  append_numbers(out, pair("cpu", container.cpu), pair("throttled", container.throttled));
  if (container.rx_bps && container.tx_bps) {
    out += ',';
    append_numbers(out, pair("rx_bps", *container.rx_bps), pair("tx_bps", *container.tx_bps));
  }
  out += '}';
}

/// Reads the members of one object, leaving out and counting what is bad. Copies nothing.
class Lenient {
 public:
  Lenient(const json& value, int& bad) : value_(&value), bad_(&bad) {
    if (!value.is_object()) ++bad;
  }
  void number(const char* name, double& into, double most, double least = 0) const {
    const json* found = find(name);
    if (found == nullptr) return;
    const double value = found->is_number() ? found->get<double>() : std::nan("");
    if (std::isfinite(value) && value >= least && value <= most)
      into = value;
    else
      ++*bad_;
  }
  void number(const char* name, std::optional<double>& into, double most, double least = 0) const {
    double value = std::nan("");
    number(name, value, most, least);
    if (!std::isnan(value)) into = value;
  }
  template <class Integer>
  void integer(const char* name, Integer& into) const {
    double value = std::nan("");
    number(name, value, kMostBytes);
    if (!std::isnan(value)) into = static_cast<Integer>(value);
  }
  void text(const char* name, std::string& into, std::size_t most = 512) const {
    const json* found = find(name);
    if (found == nullptr) return;
    if (found->is_string() && found->get_ref<const std::string&>().size() <= most)
      into = found->get_ref<const std::string&>();
    else
      ++*bad_;
  }
  /// Absent ones count as empty.
  Lenient object(const char* name) const {
    static const json kEmpty = json::object();
    const json* found = find(name);
    return Lenient(found == nullptr ? kEmpty : *found, *bad_);
  }
  bool has(const char* name) const { return find(name) != nullptr; }
  template <class Each>
  void each(const char* name, std::size_t most, Each&& take) const {
    const json* found = find(name);
    if (found == nullptr) return;
    if (!found->is_array() || found->size() > most) ++*bad_;
    if (!found->is_array()) return;
    for (std::size_t i = 0; i < std::min(most, found->size()); ++i) take(Lenient((*found)[i], *bad_));
  }
  void bad() const { ++*bad_; }

 private:
  const json* find(const char* name) const {
    if (!value_->is_object()) return nullptr;
    const auto found = value_->find(name);
    return found == value_->end() ? nullptr : &*found;
  }
  const json* value_;
  int* bad_;
};

void read_host(const Lenient& in, MachineSample& sample) {
  const Lenient cpu = in.object("cpu");
  cpu.number("used", sample.cpu.used, kMostPercent);
  cpu.number("user", sample.cpu.user, kMostPercent);
  cpu.number("system", sample.cpu.system, kMostPercent);
  cpu.number("iowait", sample.cpu.iowait, kMostPercent);
  cpu.number("steal", sample.cpu.steal, kMostPercent);
  double cores = 0;
  cpu.number("cores", cores, 100'000);
  sample.cpu.cores = static_cast<int>(cores);
  const Lenient mem = in.object("mem");
  mem.integer("total", sample.mem.total);
  mem.integer("available", sample.mem.available);
  mem.integer("cached", sample.mem.cached);
  mem.integer("swap_used", sample.mem.swap_used);
  if (in.has("psi")) {
    const Lenient psi = in.object("psi");
    MachineSample::Pressure pressure;
    psi.number("cpu", pressure.cpu, 100);
    psi.number("mem", pressure.mem, 100);
    psi.number("io", pressure.io, 100);
    sample.psi = pressure;
  }
  const Lenient disk = in.object("disk");
  disk.number("read_bps", sample.disk.read_bps, kMostBytes);
  disk.number("write_bps", sample.disk.write_bps, kMostBytes);
  disk.number("busy", sample.disk.busy, kMostPercent);
  in.number("temp", sample.temp, 1000, -273);
  in.number("uptime_s", sample.uptime_s, 1e11);
  in.integer("interval_ms", sample.interval_ms);
  in.integer("dropped", sample.dropped);
}

void read_load(const json& value, MachineSample& sample, int& bad) {
  const auto load = value.find("load");
  if (load == value.end()) return;
  if (!load->is_array() || load->size() != 3) {
    ++bad;
    return;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const json& one = (*load)[i];
    if (one.is_number() && one.get<double>() >= 0 && one.get<double>() < 1e6)
      sample.load[i] = one.get<double>();
    else
      ++bad;
  }
}

void read_lists(const Lenient& in, MachineSample& sample) {
  in.each("fs", kMostOfOneKind, [&](const Lenient& one) {
    FilesystemSample fs;
    one.text("mount", fs.mount);
    one.integer("total", fs.total);
    one.integer("used", fs.used);
    one.number("inodes_used", fs.inodes_used, 100);
    if (!fs.mount.empty()) sample.fs.push_back(std::move(fs));
  });
  in.each("net", kMostOfOneKind, [&](const Lenient& one) {
    InterfaceSample net;
    one.text("if", net.name);
    one.number("rx_bps", net.rx_bps, kMostBytes);
    one.number("tx_bps", net.tx_bps, kMostBytes);
    if (!net.name.empty()) sample.net.push_back(std::move(net));
  });
  in.each("containers", kMostContainers, [&](const Lenient& one) {
    ContainerSample container;
    one.text("id", container.id, 64);
    if (container.id.size() < 12 || container.id.find_first_not_of("0123456789abcdef") != std::string::npos)
      return one.bad();
    one.number("cpu", container.cpu, 1e6);
    one.integer("mem", container.mem);
    one.integer("mem_limit", container.mem_limit);
    one.integer("pids", container.pids);
    one.number("throttled", container.throttled, kMostPercent);
    one.number("rx_bps", container.rx_bps, kMostBytes);
    one.number("tx_bps", container.tx_bps, kMostBytes);
    sample.containers.push_back(std::move(container));
  });
}

}  // namespace

Result<MachineSample> parse_machine_sample(std::string_view text, int* bad_fields) {
  int bad = 0;
  int& count = bad_fields != nullptr ? *bad_fields : bad;
  count = 0;
  if (text.size() > kMaxMessageBytes) return invalid("sample.too_large", "a sample of more than 256 KiB");
  // Once a second and machine: no second pass over the bytes. Nothing below copies or descends freely, so
  // that depth is no danger.
  const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return invalid("sample.syntax", "a sample that is no JSON");
  if (!value.is_object()) return invalid("sample.syntax", "a sample that is no object");
  Problems problems;
  const Fields strict(value, "", problems);
  MachineSample sample;
  sample.machine = strict.required_text("machine", kMachineName);
  sample.boot_id = strict.required_text("boot_id", kSensorName);
  if (!strict.has("seq") || !strict.has("t"))
    strict.add_problem("sample.place", strict.has("seq") ? "t" : "seq", "is missing");
  constexpr std::int64_t kYear2001 = 1'000'000'000'000, kYear2100 = 4'102'444'800'000;
  sample.seq = strict.integer("seq").value_or(0);
  sample.t = strict.integer("t", kYear2001, kYear2100).value_or(0);
  if (auto error = message_error(problems, "sample")) {
    error->code = "sample.place";
    return *std::move(error);
  }
  const Lenient in(value, count);
  in.text("host_boot", sample.host_boot);
  in.text("agent", sample.agent);
  read_host(in, sample);
  read_load(value, sample, count);
  read_lists(in, sample);
  return sample;
}

void append_json(const MachineSample& sample, std::string& out) {
  const auto into = std::back_inserter(out);
  out += "{\"v\":1,\"machine\":";
  append_text(out, sample.machine);
  out += ",\"boot_id\":";
  append_text(out, sample.boot_id);
  out += ",\"host_boot\":";
  append_text(out, sample.host_boot);
  out += ",\"agent\":";
  append_text(out, sample.agent);
  fmt::format_to(into, ",\"seq\":{},\"t\":{},\"interval_ms\":{},\"cpu\":{{", sample.seq, sample.t,
                 sample.interval_ms);
  append_numbers(out, pair("used", sample.cpu.used), pair("user", sample.cpu.user),
                 pair("system", sample.cpu.system), pair("iowait", sample.cpu.iowait),
                 pair("steal", sample.cpu.steal), pair("cores", sample.cpu.cores));
  out += "},\"load\":[";
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0) out += ',';
    append_number(out, sample.load[i]);
  }
  fmt::format_to(into, "],\"mem\":{{\"total\":{},\"available\":{},\"cached\":{},\"swap_used\":{}}}",
                 sample.mem.total, sample.mem.available, sample.mem.cached, sample.mem.swap_used);
  if (sample.psi) {
    out += ",\"psi\":{";
    append_numbers(out, pair("cpu", sample.psi->cpu), pair("mem", sample.psi->mem),
                   pair("io", sample.psi->io));
    out += '}';
  }
  out += ",\"fs\":[";
  for (const auto& fs : sample.fs) {
    out += &fs == sample.fs.data() ? "{\"mount\":" : ",{\"mount\":";
    append_text(out, fs.mount);
    fmt::format_to(into, ",\"total\":{},\"used\":{},", fs.total, fs.used);
    append_numbers(out, pair("inodes_used", fs.inodes_used));
    out += '}';
  }
  out += "],\"disk\":{";
  append_numbers(out, pair("read_bps", sample.disk.read_bps), pair("write_bps", sample.disk.write_bps),
                 pair("busy", sample.disk.busy));
  out += "},\"net\":[";
  for (const auto& net : sample.net) {
    out += &net == sample.net.data() ? "{\"if\":" : ",{\"if\":";
    append_text(out, net.name);
    out += ',';
    append_numbers(out, pair("rx_bps", net.rx_bps), pair("tx_bps", net.tx_bps));
    out += '}';
  }
  out += ']';
  if (sample.temp) {
    out += ",\"temp\":";
    append_number(out, *sample.temp);
  }
  out += ",\"uptime_s\":";
  append_number(out, sample.uptime_s);
  if (sample.dropped > 0) fmt::format_to(into, ",\"dropped\":{}", sample.dropped);
  out += ",\"containers\":[";
  for (const auto& container : sample.containers) {
    if (&container != sample.containers.data()) out += ',';
    append_container(container, out);
  }
  out += "]}";
}

}  // namespace slipway::messages
