# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Installation next to, or outside of, an installed OTB. Inside OTB's own tree OTB installs the module itself.
#
# OTB's launchers and QGIS look for applications in one folder only. In OTB's own prefix that is where ours go; any
# other prefix is completed with links to OTB's launcher, applications and QGIS descriptors, so that it serves as
# an OTB folder by itself.

# Call after find_package(OTB) and before the macros of OTB, which read these variables.
macro(hud_prepare_install)
  if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
    set(CMAKE_INSTALL_PREFIX ${OTB_INSTALL_PREFIX} CACHE PATH "Where to install; by default where OTB is" FORCE)
  endif()
  # OTB_APPLICATION_PATH is OTB's PREFIX/LIB/otb/applications.
  file(RELATIVE_PATH OTB_INSTALL_APP_DIR ${OTB_INSTALL_PREFIX} ${OTB_APPLICATION_PATH})
  set(OTB_INSTALL_RUNTIME_DIR bin)
  string(REGEX REPLACE "/otb/applications/?$" "" HUD_INSTALL_LIB_DIR ${OTB_INSTALL_APP_DIR})
  # Finds a LibTorch outside the system's library folders.
  set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

  # OTB's macros fix the prefix when configuring; another one at install time would split the files.
  install(CODE "
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL \"${CMAKE_INSTALL_PREFIX}\")
      message(FATAL_ERROR \"Configured for ${CMAKE_INSTALL_PREFIX}, asked to install to \${CMAKE_INSTALL_PREFIX}: set CMAKE_INSTALL_PREFIX when configuring.\")
    endif()")
endmacro()

# Call after the macros of OTB: what is installed here replaces their launchers.
function(hud_install)
  set(applications HUDImport HUDUnmix HUDTrain HUDSample HUDDecode HUDEvaluate)

  install(TARGETS hud_core hud_diffusion HUD
    LIBRARY DESTINATION ${HUD_INSTALL_LIB_DIR}
    ARCHIVE DESTINATION ${HUD_INSTALL_LIB_DIR})

  set(descriptors)
  set(modules)
  foreach(name IN LISTS applications)
    list(APPEND descriptors ${PROJECT_BINARY_DIR}/description/${name}.txt ${PROJECT_BINARY_DIR}/description/${name}.json)
    list(APPEND modules otbapp_${name})
  endforeach()
  add_custom_command(
    OUTPUT ${descriptors} ${PROJECT_BINARY_DIR}/description/algs.txt
    COMMAND hud_describe $<TARGET_FILE_DIR:otbapp_HUDUnmix> ${PROJECT_BINARY_DIR}/description ${applications}
    DEPENDS hud_describe ${modules}
    COMMENT "Describing the applications for QGIS"
    VERBATIM)
  add_custom_target(hud_descriptors ALL DEPENDS ${descriptors})
  install(FILES ${descriptors} DESTINATION share/otb/description)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/qgis/hud_processing ${PROJECT_SOURCE_DIR}/qgis/models DESTINATION share/hud/qgis
    PATTERN __pycache__ EXCLUDE)

  get_filename_component(prefix ${CMAKE_INSTALL_PREFIX} REALPATH)
  get_filename_component(otbPrefix ${OTB_INSTALL_PREFIX} REALPATH)
  if(NOT prefix STREQUAL otbPrefix)
    configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/otbcli.in ${PROJECT_BINARY_DIR}/otbcli @ONLY)
    install(PROGRAMS ${PROJECT_BINARY_DIR}/otbcli DESTINATION bin)
    install(PROGRAMS ${PROJECT_BINARY_DIR}/otbcli DESTINATION bin RENAME otbgui)
    foreach(name IN LISTS applications)
      install(PROGRAMS ${PROJECT_BINARY_DIR}/otbcli DESTINATION bin RENAME otbcli_${name})
      install(PROGRAMS ${PROJECT_BINARY_DIR}/otbcli DESTINATION bin RENAME otbgui_${name})
    endforeach()
  endif()
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/HudCompletePrefix.cmake.in
    ${PROJECT_BINARY_DIR}/HudCompletePrefix.cmake @ONLY)
  install(SCRIPT ${PROJECT_BINARY_DIR}/HudCompletePrefix.cmake)
endfunction()
