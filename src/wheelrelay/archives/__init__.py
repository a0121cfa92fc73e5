"""Read zip archives, tar archives and RECORD files, within limits that bound the cost of hostile ones.

The checks, the upload form and the pages of a container all read distribution files through this package,
so they see the same members with the same bytes.

`open_zip` and `open_tar` open an archive to read single members. `scan_zip` and `scan_tar` read it from its
first byte to its last and report every problem.
"""

from wheelrelay.archives.contents import ArchiveContents as ArchiveContents
from wheelrelay.archives.contents import MapFunction as MapFunction
from wheelrelay.archives.contents import Member as Member
from wheelrelay.archives.contents import Problem as Problem
from wheelrelay.archives.contents import ProblemKind as ProblemKind
from wheelrelay.archives.limits import ARCHIVE_ERRORS as ARCHIVE_ERRORS
from wheelrelay.archives.limits import LimitExceeded as LimitExceeded
from wheelrelay.archives.tar import TarReader as TarReader
from wheelrelay.archives.tar import is_regular_file as is_regular_file
from wheelrelay.archives.tar import normalize_path as normalize_path
from wheelrelay.archives.tar import open_tar as open_tar
from wheelrelay.archives.tar import scan_tar as scan_tar
from wheelrelay.archives.zip_reader import ZipReader as ZipReader
from wheelrelay.archives.zip_reader import open_zip as open_zip
from wheelrelay.archives.zip_scan import scan_zip as scan_zip
