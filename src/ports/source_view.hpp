#pragma once

#include "meta_file/detect_runtime.hpp"
#include "ports/source_archive.hpp"

namespace slipway {

/// What detection may see of a source; both must outlive the view.
meta_file::SourceView view_of(const Archives& archives, const Source& source);

}  // namespace slipway
