"""An archive's files sent as one."""

import io
import zipfile
from collections.abc import Iterable

from django.http import FileResponse

from exchange.models import ClearingResult
from exchange.queries.archive_files import open_archived

ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same archive gives the same bytes


def sent_archive(result: ClearingResult, files: Iterable[str]) -> FileResponse:
    """Send files of an archive, by the names that ``archived_files`` gives them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            stream = open_archived(result, file)
            assert stream is not None, file
            with stream:
                archive.writestr(zipfile.ZipInfo(file, ZIP_DATE), stream.read())
    packed.seek(0)
    name = f"{result.auction.public_id}.zip"
    return FileResponse(packed, as_attachment=True, filename=name)
