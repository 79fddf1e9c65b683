#pragma once

#include "check/finding.hpp"
#include "check/snapshot.hpp"

// What holds when nothing is under way. Pure.
namespace slipway::check {

/// Every deployment has one end, stages without a hole, the same on Kafka; no lane holds what is over.
void check_journal(const Snapshot& snapshot, Findings& findings);
/// Every service has exactly the containers that its lane wants; every container has somebody who wants it.
void check_containers(const Snapshot& snapshot, Findings& findings);
/// Every Engine answers and has its agent, the images to start and to go back, and no stranger's volume; the
/// samples of what is up are stored, without a hole.
void check_machines(const Snapshot& snapshot, Findings& findings);

inline Findings check_all(const Snapshot& snapshot) {
  Findings findings;
  check_journal(snapshot, findings);
  check_containers(snapshot, findings);
  check_machines(snapshot, findings);
  return findings;
}

}  // namespace slipway::check
