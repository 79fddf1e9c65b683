#pragma once

#include "ports/repository.hpp"

namespace slipway::tests {

/// The Repository that the suite runs on: each program that links repository_suite.cpp defines it. One for
/// all its tests, which use ids of their own.
ports::Repository& repository_under_test();

}  // namespace slipway::tests
