"""Read zip and tar archives within bounds: what a hostile archive can make this cost is known beforehand.

Everything that looks into a distribution file reads it through here: the checks, the core metadata that an
upload sends, and the pages of a container. So all of them see the same members with the same bytes.
"""

from wheelrelay.archives.limits import BROKEN as BROKEN
from wheelrelay.archives.limits import Implausible as Implausible
from wheelrelay.archives.tar_reader import TarReader as TarReader
from wheelrelay.archives.tar_reader import is_plain_file as is_plain_file
from wheelrelay.archives.tar_reader import plain as plain
from wheelrelay.archives.tar_reader import read_tar as read_tar
from wheelrelay.archives.zip_reader import ZipReader as ZipReader
from wheelrelay.archives.zip_reader import read_zip as read_zip
