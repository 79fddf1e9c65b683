#pragma once

#include <atomic>
#include <functional>
#include <string>

/// The body for a path, or nothing: 404.
using Answer = std::function<std::string(const std::string& path)>;

/// Answers HTTP on that port, one connection after the other, until `stopping`.
void serve(int port, const Answer& answer, const std::atomic<bool>& stopping);
