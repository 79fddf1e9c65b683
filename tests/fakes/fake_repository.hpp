#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "ports/repository.hpp"

namespace slipway::fakes {

/// A Repository in memory that behaves like the real one (one suite runs on both) and fails when told to.
/// Nothing expires. Any thread may call.
class FakeRepository final : public ports::Repository {
 public:
  FakeRepository();                       ///< sources are stamped by a clock that stands still
  explicit FakeRepository(Clock& clock);  ///< the clock must outlive it
  ~FakeRepository() override;

  ports::LaneStore& lanes() override;
  ports::DeploymentStore& deployments() override;
  ports::Table<ports::Release>& releases() override;
  ports::Table<ports::Instance>& instances() override;
  ports::Table<ports::Failure>& failures() override;
  ports::Table<ports::Service>& services() override;
  ports::Table<ports::ServiceHistory>& service_history() override;
  ports::Table<ports::SensorDocument>& sensors() override;
  ports::Table<ports::Binding>& bindings() override;
  ports::Table<ports::MachineDocument>& machines() override;
  ports::Table<ports::Placement>& placements() override;
  ports::Table<ports::Secret>& secrets() override;
  ports::Table<ports::TopicDocument>& topics() override;
  ports::Table<ports::Attempts>& attempts() override;
  ports::Table<ports::Answer>& answers(const std::string& role) override;
  ports::LeaseStore& leases() override;
  ports::SampleStore& samples() override;
  ports::SourceStore& sources() override;
  Status ping(milliseconds timeout) override;

  // Hooks. `collection`: "lanes", "deployments", "releases", ...; empty: any.
  /// The next `times` calls fail with `error` and change nothing.
  void fail_next(const Error& error, int times = 1, const std::string& collection = {});
  void stop_failing();  ///< forgets what fail_next() queued
  /// The next `times` writes happen, but their caller is told kUnknown: the answer got lost.
  void lose_answers(int times = 1, const std::string& collection = {});
  /// Every call (and ping) fails as unavailable until set back.
  void set_down(bool down);
  /// Writes that had their effect.
  int writes() const;
  /// Calls that failed because they were told to.
  int refused() const;

 private:
  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace slipway::fakes
