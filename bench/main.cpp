// Runs the benchmarks of one program: a table for people on stderr, at the end one line of JSON on stdout.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace {

class OneLine : public benchmark::ConsoleReporter {
 public:
  OneLine() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.error_occurred) failed_ = true;
      line_ += fmt::format("{}\"{}\": {{\"{}\": {:.3f}", line_.empty() ? "" : ", ", run.benchmark_name(),
                           benchmark::GetTimeUnitString(run.time_unit), run.GetAdjustedRealTime());
      for (const auto& [name, counter] : run.counters) {
        line_ += fmt::format(", \"{}\": {:.0f}", name, counter.value);
      }
      line_ += "}";
    }
  }

  bool failed() const { return failed_; }
  std::string line() const { return "{" + line_ + "}"; }

 private:
  std::string line_;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  OneLine reporter;
  reporter.SetOutputStream(&std::cerr);
  reporter.SetErrorStream(&std::cerr);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::puts(reporter.line().c_str());
  return reporter.failed() ? 1 : 0;
}
