# Stands in for the package that a build of Slicer offers to extensions: what find_package(Slicer)
# defines for scripted modules, with the values of Slicer 5.13 on Linux.
#
# With METAUNETR_SLICER_CMAKE and METAUNETR_CTK_CMAKE set to the folders CMake/ of the sources of
# Slicer and CTK, UseSlicer.cmake takes the real macros from there.

set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/ExtensionGenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/ExtensionCPack.cmake")
set(Slicer_PYTHON_MODULE_TEST_TEMPLATES_DIR "${CMAKE_CURRENT_LIST_DIR}")

set(Slicer_USE_PYTHONQT ON)
set(Slicer_LAUNCHER_EXECUTABLE "${CMAKE_COMMAND}") # any command will do: tests are only listed

# Slicer_LIB_DIR is lib/Slicer-<major>.<minor>; Slicer_INSTALL_ROOT is empty on Linux and Windows
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-5.13/qt-scripted-modules")
set(Slicer_CLIMODULES_LIB_DIR "lib/Slicer-5.13/cli-modules")
set(Slicer_QTLOADABLEMODULES_LIB_DIR "lib/Slicer-5.13/qt-loadable-modules")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")
