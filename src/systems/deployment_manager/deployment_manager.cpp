#include "systems/deployment_manager/deployment_manager.hpp"

#include "systems/deployment_manager/machine_keeper.hpp"
#include "systems/deployment_manager/orphans.hpp"
#include "systems/deployment_manager/requests.hpp"

namespace slipway::deployment_manager {

// In the order of their needs; destroyed in reverse: no new requests first, then the deployments under work.
struct DeploymentManager::Parts {
  explicit Parts(World the_world)
      : world(std::move(the_world)),
        outbox(world),
        samples(world),
        questions(world),
        agents(world, samples),
        broker_probe(world, agents),
        hands{world, outbox, agents, questions, broker_probe},
        machines(world, agents),
        lanes(hands),
        requests(world, outbox, lanes),
        loop(world.bus, world.clock, world.log,
             {.group = world.topics.group("deployment_manager"),
              .topics = {world.topics.deployment_requests},
              .deadletter_topic = world.topics.deadletter,
              .source = "/deployment_manager",
              .attempts = &world.repository.attempts()},
             [this](const ports::Record& record) { return requests.handle(record); }) {
    remove_left_image_files(world.log);
  }

  World world;
  Outbox outbox;
  SampleWatch samples;
  Questions questions;
  AgentKeeper agents;
  BrokerProbe broker_probe;
  Hands hands;
  MachineKeeper machines;
  LaneKeeper lanes;
  Requests requests;
  ports::RequestLoop loop;
};

DeploymentManager::DeploymentManager(World world) : parts_(std::make_unique<Parts>(std::move(world))) {}
DeploymentManager::~DeploymentManager() = default;

}  // namespace slipway::deployment_manager
