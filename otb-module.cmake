# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# OTB 9 groups its modules into components, which OTB 8 does not know.
set(_hud_component)
if(OTB_SOURCE_DIR AND OTB_VERSION_MAJOR GREATER_EQUAL 9)
  set(_hud_component COMPONENT HUD)
endif()

otb_module(HUD
  DEPENDS
    OTBCommon
    OTBApplicationEngine
    OTBEndmembersExtraction
    OTBFunctor
    OTBGDAL
    OTBGdalAdapters
    OTBImageBase
    OTBImageIO
    OTBITK
    OTBMetadata
    OTBStreaming
  TEST_DEPENDS
    OTBTestKernel
    OTBCommandLine
  DESCRIPTION
    "Hyperspectral image generation: unmixing, and diffusion in abundance space."
  ${_hud_component}
)
