"""Read zip and tar archives within bounds: what a hostile archive can make this cost is known beforehand.

Everything that looks into a distribution file reads it through here: the checks, the core metadata that an
upload sends, and the pages of a container. So all of them see the same members with the same bytes.
"""

from wheelrelay.archives.limits import BROKEN as BROKEN
from wheelrelay.archives.limits import Implausible as Implausible
from wheelrelay.archives.tars import TarReader as TarReader
from wheelrelay.archives.tars import is_plain_file as is_plain_file
from wheelrelay.archives.tars import plain as plain
from wheelrelay.archives.tars import read_tar as read_tar
from wheelrelay.archives.zips import ZipReader as ZipReader
from wheelrelay.archives.zips import read_zip as read_zip
