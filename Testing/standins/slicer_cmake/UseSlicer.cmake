# Stands in for Slicer's UseSlicer.cmake: the macros that scripted extensions call.

set(EXTENSION_NAME ${PROJECT_NAME})
option(BUILD_TESTING "Register tests" ON)
include(CTest)
include(ExternalData)
set(PYTHONINTERP_FOUND TRUE)
set(PYTHONLIBS_FOUND TRUE)

if(DEFINED METAUNETR_SLICER_CMAKE)
  list(APPEND CMAKE_MODULE_PATH ${METAUNETR_SLICER_CMAKE} ${METAUNETR_CTK_CMAKE})
  set(CTK_CMAKE_DIR ${METAUNETR_CTK_CMAKE})
  set(Slicer_ExternalData_DATA_MANAGEMENT_TARGET SlicerData)
  function(ctkFunctionExtractOptimizedLibrary) # of the Python library, which nothing needs here
  endfunction()
  include(CMakeParseArguments)
  include(ctkMacroCompilePythonScript)
  include(SlicerMacroBuildScriptedModule)
  include(SlicerMacroPythonTesting)
  include(SlicerMacroConfigureGenericPythonModuleTests)
  return()
endif()

# As CTK's: copies to DESTINATION_DIR when built, sub-folders and all, and byte-compiles beside the
# copies; installs the whole DESTINATION_DIR into INSTALL_DIR, or with NO_INSTALL_SUBDIR its content,
# whoever put it there.
macro(ctkMacroCompilePythonScript)
  cmake_parse_arguments(MY "NO_INSTALL_SUBDIR;GLOBAL_TARGET" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR"
    "SCRIPTS;RESOURCES" ${ARGN})
  foreach(name TARGET_NAME SCRIPTS DESTINATION_DIR INSTALL_DIR)
    if(NOT DEFINED MY_${name})
      message(FATAL_ERROR "${name} is mandatory")
    endif()
  endforeach()
  set(copies)
  set(compile)
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    set(copy "${MY_DESTINATION_DIR}/${file}")
    add_custom_command(OUTPUT ${copy}
      COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${copy}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    list(APPEND copies ${copy})
    if("${file}" IN_LIST MY_SCRIPTS)
      string(APPEND compile "py_compile.compile('${copy}', '${copy}c', doraise=True)\n")
    endif()
  endforeach()
  add_custom_target(Copy${MY_TARGET_NAME}PythonFiles ALL DEPENDS ${copies})
  set(script "${CMAKE_CURRENT_BINARY_DIR}/compile_${MY_TARGET_NAME}.py")
  file(WRITE ${script} "import py_compile\n${compile}")
  add_custom_target(Compile${MY_TARGET_NAME}PythonFiles ALL COMMAND ${PYTHON_EXECUTABLE} ${script})
  add_dependencies(Compile${MY_TARGET_NAME}PythonFiles Copy${MY_TARGET_NAME}PythonFiles)

  set(content ${MY_DESTINATION_DIR})
  if(MY_NO_INSTALL_SUBDIR)
    set(content ${MY_DESTINATION_DIR}/)
  endif()
  install(DIRECTORY ${content} DESTINATION ${MY_INSTALL_DIR} COMPONENT RuntimeLibraries
    USE_SOURCE_PERMISSIONS)
endmacro()

# As Slicer's, for modules in a folder of their own that are installed without it.
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY_SLICER "WITH_GENERIC_TESTS;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_SLICER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Unknown keywords: ${MY_SLICER_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file ${MY_SLICER_SCRIPTS} ${MY_SLICER_RESOURCES})
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
      message(FATAL_ERROR "slicerMacroBuildScriptedModule given nonexistent file '${file}'")
    endif()
  endforeach()
  ctkMacroCompilePythonScript(
    TARGET_NAME ${MY_SLICER_NAME}
    SCRIPTS "${MY_SLICER_SCRIPTS}"
    RESOURCES "${MY_SLICER_RESOURCES}"
    DESTINATION_DIR ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
    INSTALL_DIR ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    NO_INSTALL_SUBDIR
    )
  if(BUILD_TESTING AND MY_SLICER_WITH_GENERIC_TESTS)
    slicer_add_python_unittest(SCRIPT qSlicer${MY_SLICER_NAME}ModuleGenericTest.py
      TESTNAME_PREFIX nomainwindow_)
  endif()
endmacro()

macro(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  get_filename_component(name ${MY_SCRIPT} NAME_WE)
  add_test(NAME py_${MY_TESTNAME_PREFIX}${name} COMMAND ${Slicer_LAUNCHER_EXECUTABLE} -E true)
endmacro()
